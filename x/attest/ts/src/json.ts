// JSON, read strictly: JSON.parse takes the last of two equal keys and rounds large numbers, and a bound that a reader overlooks is no
// bound. Numbers keep their digits.

/** JsonNumber is a number as it is written. */
export class JsonNumber {
  constructor(readonly digits: string) {}
}

/** JsonObject is an object. twice is a key of it that occurs twice, where readJson was asked to leave that to whoever knows what the object is of. */
export class JsonObject extends Map<string, Json> {
  twice?: string;
}

export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;

const depthMax = 64; // objects and lists in one another

/** readJson reads one JSON value and nothing behind it. It throws SyntaxError, also where a key occurs twice, but for leave: then that is named. */
export function readJson(text: string, leave = false): Json {
  const r = new Reader(text, leave);
  const v = r.value(0);
  r.end();
  return v;
}

class Reader {
  readonly #text: string;
  readonly #leave: boolean;
  #at = 0;

  constructor(text: string, leave: boolean) {
    this.#text = text;
    this.#leave = leave;
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
    if (this.#next("{")) return this.#object(depth + 1);
    if (this.#next("[")) return this.#array(depth + 1);
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

  #object(depth: number): JsonObject {
    if (depth > depthMax) throw this.#bad("nested too deep");
    const o = new JsonObject();
    if (this.#next("}")) return o;
    do {
      this.#blank();
      const key = this.#string();
      if (!this.#next(":")) throw this.#bad("no colon");
      const v = this.value(depth);
      if (o.has(key) && !this.#leave) throw this.#bad(`field ${JSON.stringify(key)} occurs twice`);
      if (o.has(key)) o.twice = key;
      else o.set(key, v);
    } while (this.#next(","));
    if (!this.#next("}")) throw this.#bad("an object does not end");
    return o;
  }

  #array(depth: number): Json[] {
    if (depth > depthMax) throw this.#bad("nested too deep");
    const a: Json[] = [];
    if (this.#next("]")) return a;
    do a.push(this.value(depth));
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
