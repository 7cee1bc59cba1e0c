// JSON, read strictly: JSON.parse takes the last of two equal keys and rounds large numbers, and a bound that a reader overlooks is no
// bound. Numbers keep their digits.

/** JsonNumber is a number as it is written. */
export class JsonNumber {
  constructor(readonly digits: string) {}
}

export type Json = null | boolean | string | JsonNumber | Json[] | Map<string, Json>;

const depthMax = 64;

/** readJson reads one JSON value and nothing behind it. It throws SyntaxError. */
export function readJson(text: string): Json {
  const r = new Reader(text);
  const v = r.value(0);
  r.end();
  return v;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #bad(what: string): SyntaxError {
    return new SyntaxError(`${what} at character ${this.#at}`);
  }

  /** match passes what the pattern, sticky, finds here. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const m = pattern.exec(this.#text);
    if (m === null) return undefined;
    this.#at = pattern.lastIndex;
    return m[0];
  }

  #blank(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #next(c: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  end(): void {
    this.#blank();
    if (this.#at !== this.#text.length) throw this.#bad("something follows");
  }

  value(depth: number): Json {
    if (depth > depthMax) throw this.#bad("nested too deep");
    if (this.#next("{")) return this.#object(depth);
    if (this.#next("[")) return this.#array(depth);
    if (this.#text[this.#at] === '"') return this.#string();
    const number = this.#match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
    if (number !== undefined) return new JsonNumber(number);
    switch (this.#match(/true|false|null/y)) {
      case "true":
        return true;
      case "false":
        return false;
      case "null":
        return null;
    }
    throw this.#bad("no value");
  }

  #object(depth: number): Map<string, Json> {
    const o = new Map<string, Json>();
    if (this.#next("}")) return o;
    do {
      this.#blank();
      const key = this.#string();
      if (o.has(key)) throw this.#bad(`field ${JSON.stringify(key)} occurs twice`);
      if (!this.#next(":")) throw this.#bad("no colon");
      o.set(key, this.value(depth + 1));
    } while (this.#next(","));
    if (!this.#next("}")) throw this.#bad("an object does not end");
    return o;
  }

  #array(depth: number): Json[] {
    const a: Json[] = [];
    if (this.#next("]")) return a;
    do a.push(this.value(depth + 1));
    while (this.#next(","));
    if (!this.#next("]")) throw this.#bad("a list does not end");
    return a;
  }

  #string(): string {
    const plain = this.#match(/"[^"\\\u0000-\u001f]*"/y); // nearly every one: a class alone costs little before it has been compiled
    if (plain !== undefined) return plain.slice(1, -1);
    const s = this.#match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    if (s === undefined) throw this.#bad("no text");
    return JSON.parse(s) as string;
  }
}
