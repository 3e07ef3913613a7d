// What the formats of an identities file have in common.

/** One row: a user, by object id or UPN, and what names it. */
export interface IdentityRow {
  /** Where it stands, such as `line 7` or `[6]`. */
  readonly path: string;
  readonly user: string;
  readonly numbers: readonly string[];
  readonly addresses: readonly string[];
}

/** What a format finds in a file, one after the other. */
export interface IdentityRows {
  row(row: IdentityRow): void;
  problem(path: string, message: string): void;
}
