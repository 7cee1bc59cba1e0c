// The page in a real browser, served by a real node: loaded, then the node is stopped, and only then files are dropped on it.
//
// XINLIAN_BIN is the folder of the programs (scripts/dev build), XINLIAN_CHROMIUM the browser, XINLIAN_SECOND the folder with signatures.json.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import encodeQR from "qr";

import { openAnchorProof, receiptRoot } from "../src/anchor.js";
import { hex } from "../src/bytes.js";
import { parseTime } from "../src/time.js";
import { sha256 } from "../src/tree.js";
import { parseTrust } from "../src/trust.js";
import { anchorDir, type AnchorVector, anchorVectors, packDir, packVector, uscc, vectorDir } from "../test/corpus.js";

const bin = process.env["XINLIAN_BIN"] ?? "../../../.tools";
/** patience is how long what must come is waited for, in milliseconds: a busy machine takes its time. */
const patience = 4 * 60_000;
const executablePath = process.env["XINLIAN_CHROMIUM"] ?? "/usr/bin/chromium";

let dir: string;
let node = ""; // URL of the node's gateway
let browser: Browser;
let trust: Buffer;
let fresh: Buffer; // a bundle of the node's newest block
let firm: string;
let pack: Buffer; // of the node: who has a negative record

const run = (program: string, ...args: string[]): string => execFileSync(join(bin, program), args, { encoding: "utf8" });

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "xinlian-page-"));
  browser = await chromium.launch({
    executablePath,
    timeout: patience,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    ],
  });
  run("xinlian", "localnet", "up", "--validators", "1", "--dir", join(dir, "net"), "--detach");
  node = (JSON.parse(readFileSync(join(dir, "net/localnet.json"), "utf8")) as { nodes: { api: string }[] }).nodes[0]!.api;
  trust = readFileSync(join(dir, "net/trust.json"));
  firm = await firstFirm();
  run("xinlian-verify", "fetch", "--node", node, "--subject", firm, "--out", join(dir, "fresh.xla"));
  fresh = readFileSync(join(dir, "fresh.xla"));
  run("xinlian-verify", "pack", "fetch", "--node", node, "--set", "negative", "--out", join(dir, "negative.xlp"));
  pack = readFileSync(join(dir, "negative.xlp"));
});

/** firstFirm waits until the enrolment of the sample firms is proven, which is a block after it. */
async function firstFirm(): Promise<string> {
  for (;;) {
    const { subjects } = (await (await fetch(node + "/v1/subjects?limit=1")).json()) as { subjects: string[] };
    if (subjects.length > 0) return subjects[0]!;
    await new Promise((next) => setTimeout(next, 100));
  }
}

after(async () => {
  await browser?.close();
  down();
  rmSync(dir, { recursive: true, force: true });
});

function down(): void {
  if (node !== "") run("xinlian", "localnet", "down", "--dir", join(dir, "net"));
  node = "";
}

interface Open {
  page: Page;
  requests: string[]; // that left the page after it was loaded
  complaints: string[]; // errors, and what the policy has blocked
}

const html = () => readFileSync("../../../node/gateway/page/verify.html");

/** open loads the page: from the node, or once that is stopped from the file that it serves, which carries its policy itself. */
async function open(at?: string, language = "en"): Promise<Open> {
  const context: BrowserContext = await browser.newContext({ locale: language, permissions: ["camera"] });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  if (at !== undefined) await page.clock.setFixedTime(new Date(at));
  if (node === "") {
    await context.route("http://localhost/verify", (r) => r.fulfill({ body: html(), contentType: "text/html; charset=utf-8" }));
  }
  await page.goto(node === "" ? "http://localhost/verify" : node + "/verify", { waitUntil: "load" });
  const open: Open = { page, requests: [], complaints: [] };
  page.on("request", (r) => open.requests.push(r.url()));
  page.on("pageerror", (e) => open.complaints.push(String(e)));
  page.on("console", (m) => {
    if (m.type() === "error") open.complaints.push(m.text());
  });
  return open;
}

async function close(o: Open): Promise<void> {
  assert.deepEqual(o.requests.filter((u) => !u.startsWith("blob:") && !u.startsWith("data:")), [], "requests after load");
  assert.deepEqual(o.complaints, [], "errors of the page");
  await o.page.context().close();
}

/** drop drops files on an element, as a person does. */
async function drop(page: Page, on: string, ...files: { name: string; bytes: Uint8Array; type?: string }[]): Promise<void> {
  const data = await page.evaluateHandle((given) => {
    const d = new DataTransfer();
    for (const f of given) d.items.add(new File([Uint8Array.from(atob(f.base64), (c) => c.charCodeAt(0))], f.name, { type: f.type }));
    return d;
  }, files.map((f) => ({ name: f.name, type: f.type ?? "", base64: Buffer.from(f.bytes).toString("base64") })));
  await page.dispatchEvent(on, "dragover", { dataTransfer: data });
  await page.dispatchEvent(on, "drop", { dataTransfer: data });
}

const dropTrust = (page: Page, bytes: Uint8Array) => drop(page, "#drop-trust", { name: "trust.json", bytes });
const dropBundle = (page: Page, bytes: Uint8Array, name = "bundle.xla", type = "") => drop(page, "#drop-bundle", { name, bytes, type });

/** shows waits for a verdict and its code, and gives the text of the result. */
async function shows(page: Page, verdict: string, code?: string): Promise<string> {
  const at = `#result [data-verdict="${verdict}"]` + (code === undefined ? "" : `[data-code="${code}"]`);
  try {
    await page.waitForSelector(at);
  } catch {
    assert.fail(`no ${verdict} ${code ?? ""}: ${await page.textContent("#result")}`);
  }
  return (await page.textContent("#result"))!;
}

/** frozen is a vector's bundle with its trust file, which the page judges at the vector's time. */
function frozen(name: string): { bundle: Uint8Array; trust: Uint8Array; at: string; subject: string } {
  const raw = readFileSync(vectorDir + name + ".xlv");
  const cut = raw.indexOf("\n\n");
  const row = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(raw.subarray(0, cut).toString())![1]!;
  return { bundle: raw.subarray(cut + 2), trust: readFileSync(vectorDir + row("trust")), at: row("at"), subject: row("subject") };
}

/** pictureOf draws bytes as a QR code of binary mode, in a PNG. */
function pictureOf(bytes: Uint8Array, scale = 4): Uint8Array {
  const bits = encodeQR(Buffer.from(bytes).toString("latin1"), "raw", {
    ecc: "low", encoding: "byte", border: 4, textEncoder: (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0)),
  });
  const side = bits.length * scale;
  const rows = Buffer.alloc(side * (side + 1)); // each begins with its filter: none
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) rows[y * (side + 1) + 1 + x] = bits[Math.floor(y / scale)]![Math.floor(x / scale)] ? 0 : 255;
  }
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 4 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 0, 0, 0, 0], 8); // eight bits of grey
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function crc32(bytes: Uint8Array): number {
  let c = 0xffff_ffff;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb8_8320 : 0);
  }
  return ~c >>> 0;
}

test("a bundle is verified with the node stopped", async () => {
  const o = await open();
  const policy = await o.page.evaluate(async () => (await fetch("/verify").catch(() => undefined)) === undefined);
  assert.equal(policy, true, "the page can fetch: its policy is not in force");
  o.requests.length = o.complaints.length = 0; // that one was ours, and was blocked

  down();
  await dropBundle(o.page, fresh);
  const before = await shows(o.page, "unverified");
  assert.match(before, /UNVERIFIED/);
  assert.match(before, new RegExp(firm));
  await dropTrust(o.page, trust);
  await o.page.fill("#subject", firm);
  const text = await shows(o.page, "holds", "OK");
  for (const want of [firm, "no-negative", "Height", "1/1 (10/10)", "demo-local", "Penalties: none"]) assert.ok(text.includes(want), `${want} is not in: ${text}`);
  assert.equal(await o.page.locator("text=UNVERIFIED").count(), 0);
  assert.ok((await o.page.textContent("#trust-facts"))!.includes(hex(sha256(trust))), "no digest of the trust file to compare");

  // One bit changed anywhere is refused.
  for (const at of [4, 200, fresh.length >> 1, fresh.length - 1]) {
    const wrong = Buffer.from(fresh);
    wrong[at]! ^= 1;
    await dropBundle(o.page, wrong, "wrong.xla");
    await o.page.waitForSelector("#files >> text=wrong.xla");
    assert.match(await shows(o.page, "invalid"), /Invalid/);
  }
  await close(o);
});

test("no verdict stays while another file is judged, or when that goes wrong", async () => {
  down();
  const v = frozen("ok-present");
  const o = await open(v.at);
  await dropTrust(o.page, v.trust);
  await dropBundle(o.page, v.bundle);
  await o.page.fill("#subject", v.subject);
  await shows(o.page, "holds", "OK");
  // A file that takes its time.
  await o.page.evaluate(() => {
    const taken = File.prototype.arrayBuffer;
    File.prototype.arrayBuffer = function () {
      return new Promise((done) => Object.assign(globalThis, { go: () => done(taken.call(this)) }));
    };
  });
  await dropBundle(o.page, v.bundle, "slow.xla");
  assert.equal(await o.page.locator("#result [data-verdict]").count(), 0, "the verdict of another file is on the screen");
  await o.page.fill("#subject", "");
  await o.page.fill("#subject", v.subject);
  assert.equal(await o.page.locator("#result [data-judging]").count(), 1, "the file that is here no more is judged");
  await o.page.evaluate(() => (globalThis as unknown as { go: () => void }).go());
  await shows(o.page, "holds", "OK");
  // A browser that cannot.
  await o.page.evaluate(() => {
    Date.prototype.toLocaleString = () => {
      throw new RangeError("no such zone");
    };
  });
  await o.page.selectOption("#max-age", "1h");
  assert.match(await shows(o.page, "unverified"), /It could not be judged: no such zone/);
  assert.equal(await o.page.locator(".holds").count(), 0);
  await close(o);
});

test("a pack and its delta are verified with the node stopped, and firms are looked up", async () => {
  down();
  const o = await open();
  await dropBundle(o.page, pack, "negative.xlp");
  assert.match(await shows(o.page, "unverified"), /Subjects in the set/);
  await dropTrust(o.page, trust);
  assert.match(await shows(o.page, "opened", "OK"), /the pack is genuine/);
  assert.equal(await o.page.inputValue("#claim"), "no-negative");
  await o.page.fill("#subject", firm);
  assert.match(await shows(o.page, "holds", "OK"), /not in the set; a pack does not say whether it is enrolled/);
  await o.page.fill("#subject", firm.slice(0, 17));
  await shows(o.page, "usage", "E_POLICY");
  const wrong = Buffer.from(pack);
  wrong[pack.length >> 1]! ^= 1;
  await dropBundle(o.page, wrong, "wrong.xlp");
  await shows(o.page, "invalid");
  await close(o);

  // The delta takes firms 0 and 1 out of the set and brings 7 and 8 into it.
  const v = packVector("delta-ok.xlv");
  const p = await open(v.at);
  await dropTrust(p.page, v.trust);
  await dropBundle(p.page, v.payload, "newer.xld");
  assert.match(await shows(p.page, "unverified"), /drop the pack that this delta follows first/);
  await dropBundle(p.page, v.base!, "older.xlp");
  const look = async (n: number, verdict: string, code: string) => {
    await p.page.fill("#subject", uscc(n));
    await shows(p.page, verdict, code);
    await p.page.waitForSelector(`#result >> text=${uscc(n)}`);
  };
  await look(0, "does-not-hold", "E_CLAIM");
  await look(7, "holds", "OK");
  await p.page.selectOption("#claim", "no-negative");
  await shows(p.page, "invalid", "E_PACK_SET");
  await p.page.selectOption("#claim", "no-serious");
  await dropBundle(p.page, v.payload, "newer.xld");
  await p.page.waitForSelector("#files >> text=older.xlp + newer.xld");
  await look(0, "holds", "OK");
  await look(7, "does-not-hold", "E_CLAIM");
  await dropBundle(p.page, v.payload, "again.xld"); // it follows the older one
  await shows(p.page, "invalid", "E_DELTA_BASE");
  await p.page.click("#clear");
  // Both at once, in either order.
  await drop(p.page, "#drop-bundle", { name: "newer.xld", bytes: v.payload }, { name: "older.xlp", bytes: v.base! });
  await look(8, "does-not-hold", "E_CLAIM");
  await close(p);

  const late = await open(new Date(Date.parse(v.at) + 25 * 3600_000).toISOString());
  await dropTrust(late.page, readFileSync(packDir + "trust-witness.json"));
  await dropBundle(late.page, v.base!, "older.xlp");
  await shows(late.page, "untrusted", "E_WITNESS_QUORUM");
  await dropTrust(late.page, v.trust);
  await shows(late.page, "stale", "E_STALE");
  await close(late);
});

test("a receipt and the proof of its anchor, with the node stopped", async () => {
  down();
  const v = anchorVectors().find((v) => v.name === "receipt-ok.xlv")!;
  const hexOf = (b: Uint8Array) => Buffer.from(b).toString("hex");
  const root = hexOf(receiptRoot(v.receipt!, v.salt, v.place, v.path));
  const held = (change: object = {}, anchor: object | null = {}) => ({
    bytes: Buffer.from(v.receipt!).toString("base64"), salt: hexOf(v.salt),
    anchor: anchor === null ? null : { hour: 0, root, place: Number(v.place), path: v.path.map(hexOf), ...anchor }, ...change,
  });
  const o = await open(v.at);
  const receipt = async (json: unknown, name = "receipt.json") => {
    await dropBundle(o.page, Buffer.from(typeof json === "string" ? json : JSON.stringify(json)), name);
    await o.page.waitForSelector(`#files >> text=${name}`);
  };
  const row = await openAnchorProof(v.payload, parseTrust(v.trust), { now: parseTime(v.at)! });
  const hour = Number(row.hour);

  // A receipt first, then the trust file, then the proof: nothing is called verified before all three are there.
  await receipt(held({}, { hour }));
  assert.match(await shows(o.page, "unverified"), /choose a trust file.*only what the file says.*91410100Y000000160/s);
  await dropTrust(o.page, v.trust);
  assert.match(await shows(o.page, "anchor-not-given"), new RegExp(`fetch --anchor ${row.gateway}/${hour}`));
  assert.equal(await o.page.locator(".anchored").count(), 0);
  await dropBundle(o.page, v.payload, "anchor.xln");
  const text = await shows(o.page, "anchored", "OK");
  for (const want of ["91410100Y000000160", "pre_loan", "grade", row.gateway, root, "Block that holds the anchor95", "Proven by block101"]) assert.ok(text.includes(want), `${want} is not in: ${text}`);
  assert.equal(await o.page.locator("text=UNVERIFIED").count(), 0);

  // In the form of a page and of an answer; before its hour is anchored; of another hour.
  await receipt({ receipts: [held({}, { hour }), held({}, null)] }, "page.json");
  await shows(o.page, "not-anchored");
  assert.equal(await o.page.locator(".anchored").count(), 1);
  await receipt({ subject: "x", receipt: held({}, { hour }) }, "answer.json");
  await shows(o.page, "anchored", "OK");
  await receipt(held({}, { hour: hour + 1 }), "other-hour.json");
  await shows(o.page, "anchor-not-given");

  // What is forged or broken is refused, and one such receipt refuses its page.
  const forged = Buffer.from(v.receipt!);
  forged[10]! ^= 1;
  const refused: [string, unknown][] = [
    ["forged.json", held({ bytes: forged.toString("base64") }, { hour })],
    ["page-forged.json", { receipts: [held({}, { hour }), held({ bytes: forged.toString("base64") }, { hour })] }],
    // A root of its own: what a forger can make alone.
    ["alone.json", held({ bytes: forged.toString("base64") }, { hour, root: hexOf(receiptRoot(forged, v.salt, v.place, v.path)) })],
    ["root.json", held({}, { hour, root: "00".repeat(32) })],
    ["salt.json", held({ salt: "00".repeat(32) }, { hour })],
    ["salt-short.json", held({ salt: "00" }, { hour })],
    ["place.json", held({}, { hour, place: Number(v.place) ^ 1 })],
    ["place-half.json", held({}, { hour, place: 1.5 })],
    ["path.json", held({}, { hour, path: undefined })],
    ["stray-bits.json", held({ bytes: "AB==" }, { hour })],
    ["empty.json", { receipts: [] }],
    ["no-receipt.json", { validators: [] }],
    ["half.json", JSON.stringify(held()).slice(0, 99)],
    ["twice.json", `{"bytes": "AA==", ${JSON.stringify(held({}, { hour })).slice(1)}`],
  ];
  for (const [name, json] of refused) {
    await o.page.click("#clear");
    await dropBundle(o.page, v.payload, "anchor.xln");
    await shows(o.page, "anchor-proven", "OK");
    await receipt(json, name);
    await shows(o.page, "invalid", "E_RECEIPT");
    assert.equal(await o.page.locator(".anchored").count(), 0, name);
  }

  // The proof is judged as a bundle is: changed, of other validators, under another trust file, of another version.
  await receipt(held({}, { hour }));
  for (const [name, verdict, code] of [
    ["root-changed", "invalid", "E_APP_HASH"], ["signature", "invalid", "E_SIG"], ["strangers", "untrusted", "E_TRUST_SET"], ["another-chain", "invalid", "E_CHAIN"],
    ["version-2", "unsupported", "E_VERSION"], ["ok", "anchored", "OK"],
  ] as const) {
    await dropBundle(o.page, anchorVectors().find((v) => v.name === name + ".xlv")!.payload, "anchor.xln");
    await shows(o.page, verdict, code);
  }
  await dropTrust(o.page, trust);
  await shows(o.page, "invalid", "E_CHAIN");
  await dropTrust(o.page, readFileSync(anchorDir + "trust-witness.json"));
  await shows(o.page, "untrusted", "E_WITNESS_QUORUM");

  // A pack takes the place of both, and a receipt that of a pack.
  await dropBundle(o.page, pack, "negative.xlp");
  await shows(o.page, "invalid", "E_CHAIN");
  assert.equal(await o.page.locator("#files li").count(), 1);
  await receipt(held({}, { hour }));
  assert.equal(await o.page.locator("#files li").count(), 1);
  await close(o);
});

test("a receipt and the answer that it is of, with the node stopped", async () => {
  down();
  const v = anchorVectors().find((v) => v.name === "receipt-answer-ok.xlv")!;
  const { bundle, opening } = v.answer!;
  const [otherBundle, otherOpening] = [readFileSync(anchorDir + "other.xla"), readFileSync(anchorDir + "other.xlr")];
  const { hour } = await openAnchorProof(v.payload, parseTrust(v.trust), { now: parseTime(v.at)! });
  const base64 = (b: Uint8Array) => Buffer.from(b).toString("base64");
  const hexOf = (b: Uint8Array) => Buffer.from(b).toString("hex");
  const held = (of: AnchorVector) => ({
    bytes: base64(of.receipt!), salt: hexOf(of.salt),
    anchor: { hour: Number(hour), root: hexOf(receiptRoot(of.receipt!, of.salt, of.place, of.path)), place: Number(of.place), path: of.path.map(hexOf) },
  });
  const waiting = (of: AnchorVector) => ({ ...held(of), anchor: null }); // of the anchor here the one receipt is, and no other
  const json = (name: string, value: unknown) => ({ name, bytes: Buffer.from(JSON.stringify(value)) });
  const [proof, answer, opened] = [{ name: "anchor.xln", bytes: v.payload }, { name: "answer.xla", bytes: bundle }, { name: "answer.xlr", bytes: opening }];
  const o = await open(v.at);
  const files = async (...given: { name: string; bytes: Uint8Array }[]) => {
    if (await o.page.isVisible("#clear")) await o.page.click("#clear"); // there may be none
    await drop(o.page, "#drop-bundle", ...given);
    await o.page.waitForSelector(`#files >> text=${given.at(-1)!.name}`);
  };
  const agrees = /agrees with the digest: the receipt is of this answer/;

  // Before there is a trust file nothing is verified; that the answer is another one is seen all the same.
  await files(json("receipt.json", held(v)), answer, opened);
  assert.match(await shows(o.page, "unverified"), agrees);
  await files(json("receipt.json", held(v)), answer);
  assert.match(await shows(o.page, "invalid", "E_RECEIPT"), /another answer/);
  await dropTrust(o.page, v.trust);

  // All at once, in another order, one after the other; the bundle is judged too, by the question of the form.
  for (const order of [[json("receipt.json", held(v)), proof, answer, opened], [opened, answer, proof, json("receipt.json", held(v))]]) {
    await files(...order);
    assert.match(await shows(o.page, "anchored", "OK"), agrees);
    assert.match(await shows(o.page, "holds", "OK"), /The bundle of the answer/);
  }
  await files(json("receipt.json", held(v)));
  for (const one of [proof, answer, opened]) await drop(o.page, "#drop-bundle", one);
  assert.match(await shows(o.page, "anchored", "OK"), agrees);

  // Another answer, in a bit of it or by its opening: refused, and nothing is called anchored.
  for (const wrong of [
    [{ name: "wrong.xla", bytes: otherBundle }, opened], [answer, { name: "wrong.xlr", bytes: otherOpening }], [answer],
    [{ name: "swapped.xla", bytes: fresh }, opened],
  ]) {
    await files(json("receipt.json", held(v)), proof, ...wrong);
    await shows(o.page, "invalid", "E_RECEIPT");
    await o.page.waitForSelector("#result >> text=is of another answer");
    assert.equal(await o.page.locator(".anchored").count(), 0, wrong[0]!.name);
  }
  // The vectors that Go shares.
  for (const w of anchorVectors().filter((w) => w.answer !== undefined)) {
    await files(json("receipt.json", held(w)), { name: "anchor.xln", bytes: w.payload }, { name: "a.xla", bytes: w.answer!.bundle }, ...(w.answer!.opening.length === 0 ? [] : [{ name: "a.xlr", bytes: w.answer!.opening }]));
    if (w.answer!.bundle[2] !== 0x41) continue; // an opening in the bundle's place is told by its first bytes
    if (w.exit === 0) assert.match(await shows(o.page, "anchored", "OK"), agrees);
    else await shows(o.page, "invalid", w.code);
  }

  // Of a page of receipts it is told which one is of the answer; one has to be.
  const alone = anchorVectors().find((v) => v.name === "receipt-answer-ok-nothing-opened.xlv")!;
  await files(json("page.json", { receipts: [held(v), waiting(alone)] }), proof, answer, opened);
  const told = await shows(o.page, "anchored", "OK");
  assert.match(told, agrees);
  assert.match(told, /does not agree with the digest: this receipt is of another answer/);
  await files(json("page.json", { receipts: [waiting(alone), waiting(alone)] }), answer, opened);
  assert.match(await shows(o.page, "invalid", "E_RECEIPT"), /none of the receipts is of this answer/);

  // The answer to a query as it came, with its receipt in it.
  const asked = (b: Uint8Array, x: Uint8Array | null) => json("asked.json", { attestation: base64(b), opening: x === null ? null : base64(x), receipt: held(v) });
  await files(asked(bundle, opening), proof);
  assert.match(await shows(o.page, "anchored", "OK"), agrees);
  for (const wrong of [asked(otherBundle, opening), asked(bundle, otherOpening), asked(bundle, null)]) {
    await files(wrong, proof);
    await shows(o.page, "invalid", "E_RECEIPT");
    assert.equal(await o.page.locator(".anchored").count(), 0);
  }
  await files(json("asked.json", { attestation: "no base64", receipt: held(v) }), proof);
  await shows(o.page, "invalid", "E_RECEIPT");

  // What is still to come.
  await files(opened);
  assert.match(await shows(o.page, "unverified"), /Drop the bundle \(.xla\) of the same answer/);
  await files(answer, opened);
  assert.match(await shows(o.page, "unverified"), /Drop the receipt \(.json\) of this answer/);
  await files(json("receipt.json", held(v)), proof, answer, opened);
  await o.page.click("#language");
  assert.match(await shows(o.page, "anchored", "OK"), /与回执的答复摘要一致/);
  await files(json("receipt.json", held(v)), proof, answer);
  assert.match(await shows(o.page, "invalid", "E_RECEIPT"), /所附答复不符/);
  await close(o);
});

test("receipts of a gateway, as it gives them", { skip: process.env["XINLIAN_SECOND"] === undefined }, async () => {
  const file = (name: string) => readFileSync(process.env["XINLIAN_SECOND"]! + "/" + name);
  const o = await open(file("anchor-at.txt").toString(), "zh-CN");
  await dropTrust(o.page, file("anchor-trust.json"));
  await drop(o.page, "#drop-bundle", { name: "receipts.json", bytes: file("receipts.json"), type: "application/json" }, { name: "anchor.xln", bytes: file("anchor.xln") });
  assert.match(await shows(o.page, "anchored", "OK"), /已核验，回执已存证.*贷前/s);
  await dropBundle(o.page, file("waiting.json"), "waiting.json");
  assert.match(await shows(o.page, "not-anchored"), /回执尚未存证/);
  await shows(o.page, "anchored", "OK");
  await dropBundle(o.page, file("asked.json"), "asked.json");
  assert.match(await shows(o.page, "not-anchored"), /贷后.*与回执的答复摘要一致/s); // the answer is in the file
  const other = Buffer.from(JSON.stringify({ ...JSON.parse(file("asked.json").toString()), attestation: fresh.toString("base64") }));
  await dropBundle(o.page, other, "other.json");
  await shows(o.page, "invalid", "E_RECEIPT");
  await close(o);
});

test("another subject, another chain, an old bundle, a claim that does not hold", async () => {
  const v = frozen("no-negative");
  const o = await open(v.at);
  await dropTrust(o.page, v.trust);
  await dropBundle(o.page, v.bundle);
  const text = await shows(o.page, "does-not-hold", "E_CLAIM");
  assert.match(text, /make sure that the code/); // none was entered
  assert.equal(await o.page.isVisible("#parameter"), false);
  assert.match(text, /样例罚决〔2026〕1号/);
  assert.equal(await o.page.locator('[data-list="penalties"] tr').count(), 4);

  await o.page.fill("#subject", "91410100Y000000160");
  await shows(o.page, "invalid", "E_SUBJECT");
  await o.page.fill("#subject", "91410100Y000000161");
  await shows(o.page, "usage", "E_POLICY");
  await o.page.fill("#subject", v.subject);
  await o.page.selectOption("#claim", "commitment");
  await o.page.fill("#parameter", "41010020260401000004=fulfilled");
  await shows(o.page, "holds", "OK");

  await dropTrust(o.page, trust);
  assert.match(await shows(o.page, "invalid", "E_CHAIN"), /UNVERIFIED/);
  await dropTrust(o.page, Buffer.from("{}"));
  assert.match(await shows(o.page, "unverified"), /choose a trust file/);
  assert.match((await o.page.textContent("#trust-refused"))!, /E_TRUST/);
  await close(o);

  const late = await open(new Date(Date.parse(v.at) + 25 * 3600_000).toISOString());
  await dropTrust(late.page, v.trust);
  await dropBundle(late.page, v.bundle);
  const stale = await shows(late.page, "stale", "E_STALE");
  assert.match(stale, /proven for the time of the block/);
  await late.page.selectOption("#max-age", "168h");
  await shows(late.page, "does-not-hold", "E_CLAIM");
  await close(late);
});

test("a QR code in a picture; a bundle as text; a bundle that only names its header; what is none", async () => {
  const v = frozen("ok-validators-21");
  const o = await open(v.at, "zh-CN");
  await dropTrust(o.page, v.trust);
  assert.ok(v.bundle.length <= 2953);
  await dropBundle(o.page, pictureOf(v.bundle), "code.png", "image/png");
  assert.match(await shows(o.page, "holds", "OK"), /已核验，断言成立/);
  await dropBundle(o.page, pictureOf(v.bundle.subarray(0, 900)), "half.png", "image/png");
  await shows(o.page, "invalid", "E_ENCODING");
  await dropBundle(o.page, Buffer.from("no picture"), "bad.png", "image/png");
  assert.match(await shows(o.page, "unverified"), /没有可读的二维码/);

  const armor = frozen("armor-crlf");
  await dropTrust(o.page, armor.trust);
  await dropBundle(o.page, armor.bundle, "text.txt", "text/plain");
  await shows(o.page, "invalid", "E_ARMOR");
  await dropBundle(o.page, Buffer.from(Buffer.from(armor.bundle).toString("latin1").replaceAll("\r", ""), "latin1"), "text.txt", "text/plain");
  await shows(o.page, "holds", "OK");

  const known = frozen("ok-known");
  await dropBundle(o.page, known.bundle, "known.xla");
  await o.page.click("#clear");
  await dropBundle(o.page, known.bundle, "known.xla");
  await shows(o.page, "untrusted", "E_HEADER_UNKNOWN");
  await dropBundle(o.page, readFileSync(vectorDir + "header-101.xla"), "header.xla");
  await shows(o.page, "holds", "OK");
  await o.page.click("#language");
  assert.match(await shows(o.page, "holds", "OK"), /Verified: the claim holds/);
  await close(o);
});

test("a witness file and a time stamp beside the bundle", async () => {
  const w = frozen("ok-witnesses");
  const o = await open(w.at);
  await dropTrust(o.page, w.trust);
  await dropBundle(o.page, w.bundle);
  await shows(o.page, "untrusted", "E_WITNESS_QUORUM");
  await dropBundle(o.page, readFileSync(vectorDir + "ok-witnesses.xlw"), "beside.xlw");
  assert.match(await shows(o.page, "holds", "OK"), /w1.example\/xinlian, w2.example\/xinlian/);
  await close(o);

  const s = frozen("ok-stamp-rsa");
  const p = await open(s.at);
  await p.page.selectOption("#max-age", "720h");
  await dropTrust(p.page, s.trust);
  await dropBundle(p.page, s.bundle);
  await shows(p.page, "untrusted", "E_STAMP_QUORUM");
  await dropBundle(p.page, readFileSync(vectorDir + "stamp-rsa.tsr"), "beside.tsr");
  assert.match(await shows(p.page, "holds", "OK"), /rsa\.example/);
  await close(p);
});

test("the camera starts and stops", async () => {
  const o = await open();
  await o.page.click("#camera");
  await o.page.waitForFunction(() => (document.getElementById("video") as HTMLVideoElement).videoWidth > 0);
  await o.page.click("#camera-off");
  await o.page.waitForSelector("#viewfinder", { state: "hidden" });
  await close(o);
});

test("signatures: Chromium's WebCrypto accepts none that ZIP-215 refuses", { skip: process.env["XINLIAN_SECOND"] === undefined }, async () => {
  const all = JSON.parse(readFileSync(process.env["XINLIAN_SECOND"]! + "/signatures.json", "utf8")) as { key: string; message: string; signature: string; valid: boolean }[];
  const o = await open();
  const accepted = await o.page.evaluate(async (given) => {
    const bytes = (h: string) => Uint8Array.from(h.match(/../g) ?? [], (x) => parseInt(x, 16));
    const out: boolean[] = [];
    for (const s of given) {
      try {
        const key = await crypto.subtle.importKey("raw", bytes(s.key), { name: "Ed25519" }, false, ["verify"]);
        out.push(await crypto.subtle.verify({ name: "Ed25519" }, key, bytes(s.signature), bytes(s.message)));
      } catch {
        out.push(false);
      }
    }
    return out;
  }, all);
  console.log(`${all.length} signatures, ${all.filter((s) => s.valid).length} valid, ${accepted.filter(Boolean).length} of them for Chromium`);
  assert.ok(accepted.some(Boolean), "Chromium knows no ed25519");
  assert.deepEqual(all.filter((s, i) => accepted[i] && !s.valid), []);
  await close(o);
});
