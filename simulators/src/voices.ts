/** The two voices that come with the simulators: µ-law WAV files, a woman who asks and a man who sells. */

/** The customer's speech, 9.2 s. */
export const customerSpeech: URL = new URL('../assets/customer.wav', import.meta.url);

/** The seller's speech, 9.8 s. */
export const sellerSpeech: URL = new URL('../assets/seller.wav', import.meta.url);
