/** What lines of HTTP/1 are made of, in latin1: for whoever recognises it, reads its heads, or steps over its bodies. */

/** RFC 9110 section 5.6.2, as part of a regular expression. */
export const TOKEN_CHARACTER = "[!#$%&'*+.^_`|~0-9A-Za-z-]";

/** What may stand in values, as part of a regular expression: no control but the tab. RFC 9110 section 5.5. */
export const TEXT_CHARACTER = '[\\t -~\\x80-\\xff]';

/**
 * A field line, as RFC 9110 section 5.5 and RFC 9112 section 5 have it, up to its carriage return: the name is a token,
 * which the colon follows at once; no line is folded; carriage returns, NUL and other controls, which lenient readers take
 * for line breaks or blanks, are nowhere. Part of a regular expression.
 */
export const FIELD_LINE = `${TOKEN_CHARACTER}+:${TEXT_CHARACTER}*\\r`;

/** RFC 9112 section 3, without its line break; matches method, target and minor version. */
export const REQUEST_LINE = new RegExp(`^(${TOKEN_CHARACTER}{1,32}) ([!-~\\x80-\\xff]+) HTTP/1\\.([01])$`);
