// What the tests take from the environment.

/** In CI a missing real part is a failure, not a skip. */
export const inCi = process.env['CI'] === 'true' || process.env['CI'] === '1';
