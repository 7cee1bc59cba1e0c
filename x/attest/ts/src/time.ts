// Times are nanoseconds since 1970-01-01T00:00:00Z.

const form =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** parseTime reads a time of RFC 3339 with zone, from 1970 to 9999; undefined for anything else. */
export function parseTime(s: string): bigint | undefined {
  const m = form.exec(s);
  if (m === null) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const zone = m[8] === undefined ? [0, 0] : [Number(m[9]), Number(m[10])];
  const midnight = Date.UTC(year, month - 1, day);
  const back = new Date(midnight); // a date that is none comes back as another
  if (year < 1970 || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || zone[0]! > 23 || zone[1]! > 59) return undefined;
  const offset = (m[8] === "-" ? -1 : 1) * (zone[0]! * 3600 + zone[1]! * 60);
  const seconds = midnight / 1000 + hour * 3600 + minute * 60 + second - offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt((m[7] ?? "").padEnd(9, "0"));
}

/** formatTime writes a time in UTC, to the nanosecond where it has any. */
export function formatTime(t: bigint): string {
  const nanos = ((t % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const whole = new Date(Number((t - nanos) / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = nanos === 0n ? "" : "." + nanos.toString().padStart(9, "0").replace(/0+$/, "");
  return whole + fraction + "Z";
}
