/** One line of a header block. Texts are latin1, so that every byte is kept. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** No hop may put it into a table: RFC 7541 section 7.1.3. */
  readonly isNeverIndexed: boolean;
}

/** A header block as HPACK says it. */
export interface HeaderBlock {
  /** New sizes of the dynamic table, which stand before the fields. */
  readonly tableSizes: readonly number[];
  readonly fields: readonly HeaderField[];
}
