// Byte strings: comparing, joining, and the two notations in which people write them.

/** equal tells whether two byte strings are the same. Nothing here is secret, so the time that it takes may tell. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0;
}

/** compare orders byte strings as unsigned bytes, a shorter one before a longer one that begins with it. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = a[i]! - b[i]!;
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/**
 * byteText reads a byte string as text of one character a byte. The texts of a bundle are kept so: their lengths are counted and
 * their order is compared in bytes, and bytes that are no UTF-8 stay what they are. utf8Text gives what people read.
 */
export function byteText(b: Uint8Array): string {
  let s = "";
  for (let at = 0; at < b.length; at += 8192) s += String.fromCharCode(...b.subarray(at, at + 8192));
  return s;
}

/** textBytes is the reverse of byteText. */
export function textBytes(s: string): Uint8Array {
  return Uint8Array.from(s, (c) => c.charCodeAt(0));
}

/** utf8Text gives the characters of a byteText, with U+FFFD for what is no UTF-8. */
export function utf8Text(s: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(textBytes(s));
}

export function hex(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

/** unhex reads hexadecimal digits of either case; undefined for anything else. */
export function unhex(s: string): Uint8Array | undefined {
  if (s.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(s)) return undefined;
  return Uint8Array.from({ length: s.length / 2 }, (_, i) => parseInt(s.slice(2 * i, 2 * i + 2), 16));
}

/** unbase64 reads base64 with padding and without line breaks or stray bits; undefined for anything else. */
export function unbase64(s: string): Uint8Array | undefined {
  if (s.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return undefined;
  const text = atob(s);
  if (btoa(text) !== s) return undefined; // stray bits
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
