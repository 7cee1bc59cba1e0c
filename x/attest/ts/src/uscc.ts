// The 统一社会信用代码 (GB 32100) and other texts of one form.

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/**
 * isUSCC tells whether s is a 统一社会信用代码 in its one form, check character included. Nothing is mended: a code in lower case is
 * another key of the tree, so that its absence would say nothing.
 */
export function isUSCC(s: string): boolean {
  if (s.length !== 18) return false;
  let sum = 0;
  let weight = 1;
  for (let i = 0; i < 17; i++) {
    const v = alphabet.indexOf(s[i]!);
    if (v < 0 || (i >= 2 && i < 8 && v > 9)) return false;
    sum += v * weight;
    weight = (weight * 3) % 31;
  }
  return s[17] === alphabet[(31 - (sum % 31)) % 31];
}

export function isDigits(s: string, n: number): boolean {
  return s.length === n && /^[0-9]*$/.test(s);
}
