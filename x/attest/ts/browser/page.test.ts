// The page in a real browser, served by a real node: loaded, then the node is stopped, and only then files are dropped on it.
//
// XINLIAN_BIN is the folder of the programs (scripts/dev build), XINLIAN_CHROMIUM the browser, XINLIAN_SECOND the folder with signatures.json.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
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

/** lanHost names this machine as a host of a bank's own network is named: what comes from there over http is no secure context. */
const lanHost = "gateway.bank.example";

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
      `--use-file-for-fake-video-capture=${join(dir, "camera.y4m")}`, `--host-resolver-rules=MAP ${lanHost} 127.0.0.1`,
    ],
  });
  run("xinlian", "localnet", "up", "--validators", "1", "--dir", join(dir, "net"), "--detach");
  node = (JSON.parse(readFileSync(join(dir, "net/localnet.json"), "utf8")) as { nodes: { api: string }[] }).nodes[0]!.api;
  trust = readFileSync(join(dir, "net/trust.json"));
  firm = await firstFirm();
  run("xinlian-verify", "fetch", "--node", node, "--subject", firm, "--out", join(dir, "fresh.xla"));
  fresh = readFileSync(join(dir, "fresh.xla"));
  run("xinlian-verify", "qr", join(dir, "fresh.xla"), "--out", join(dir, "fresh.png"));
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
async function open(at?: string, language = "en", more: { host?: string; viewport?: { width: number; height: number } } = {}): Promise<Open> {
  const phone = more.viewport === undefined ? {} : { viewport: more.viewport, isMobile: true, hasTouch: true };
  const context: BrowserContext = await browser.newContext({ locale: language, permissions: ["camera"], ...phone });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  if (at !== undefined) await page.clock.setFixedTime(new Date(at));
  const url = new URL("/verify", node === "" ? "http://localhost" : node);
  if (more.host !== undefined) url.hostname = more.host;
  if (node === "") await context.route(url.href, (r) => r.fulfill({ body: html(), contentType: "text/html; charset=utf-8" }));
  await page.goto(url.href, { waitUntil: "load" });
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

test("a gateway at a host of the bank's own network, over http: no WebCrypto, no camera, the same verdicts", async () => {
  const o = await open(undefined, "en", { host: lanHost });
  const has = await o.page.evaluate(() => ({ secure: isSecureContext, subtle: typeof crypto.subtle, camera: typeof navigator.mediaDevices }));
  assert.deepEqual(has, { secure: false, subtle: "undefined", camera: "undefined" });
  await dropTrust(o.page, trust);
  await dropBundle(o.page, fresh);
  await o.page.fill("#subject", firm);
  await shows(o.page, "holds", "OK");
  const wrong = Buffer.from(fresh);
  wrong[fresh.length >> 1]! ^= 1;
  await dropBundle(o.page, wrong, "wrong.xla");
  await shows(o.page, "invalid");
  await dropBundle(o.page, readFileSync(join(dir, "fresh.png")), "fresh.png", "image/png");
  await shows(o.page, "holds", "OK");
  await o.page.fill("#subject", "");
  await dropBundle(o.page, pack, "negative.xlp");
  await shows(o.page, "opened", "OK");

  // Many signatures, those of witnesses, and of both kinds of authorities of time; and where a signature does not verify.
  for (const [name, beside, verdict, code] of [
    ["ok-validators-21", undefined, "holds", "OK"],
    ["ok-witnesses", "ok-witnesses.xlw", "holds", "OK"],
    ["ok-stamp-rsa", "stamp-rsa.tsr", "holds", "OK"],
    ["ok-stamp-ec", "stamp-ec.tsr", "holds", "OK"],
    ["sig-swapped", undefined, "invalid", "E_SIG"],
  ] as const) {
    const v = frozen(name);
    const p = await open(v.at, "en", { host: lanHost });
    await p.page.selectOption("#claim", "standing");
    await p.page.selectOption("#max-age", "720h");
    await dropTrust(p.page, v.trust);
    await dropBundle(p.page, v.bundle, name);
    if (beside !== undefined) await dropBundle(p.page, readFileSync(vectorDir + beside), beside);
    await shows(p.page, verdict, code);
    await close(p);
  }

  assert.equal(await o.page.isVisible("#camera"), false);
  assert.match((await o.page.innerText("#no-camera"))!, /^The camera cannot be used here \(it needs https\); use a picture of the code\.$/);
  await o.page.click("#language");
  assert.match((await o.page.innerText("#no-camera"))!, /^此处不能使用摄像头（需要 https）；请改用二维码图片。$/);
  await close(o);
});

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

/** seen is what the camera sees from now on: a picture in the middle of a white sheet, in a video of one picture (YUV4MPEG2) that goes round and round. */
async function seen(picture?: Uint8Array): Promise<void> {
  const [width, height] = [1280, 960];
  const grey = Buffer.alloc((width * height * 3) / 2, 235); // white, and a quarter of each colour
  grey.fill(128, width * height);
  if (picture !== undefined) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const { side, dark } = await page.evaluate(async (base64) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
      canvas.drawImage(bitmap, 0, 0);
      const pixels = canvas.getImageData(0, 0, bitmap.width, bitmap.height).data;
      let dark = "";
      for (let i = 0; i < pixels.length; i += 4) dark += pixels[i]! < 128 ? "1" : "0";
      return { side: bitmap.width, dark };
    }, Buffer.from(picture).toString("base64"));
    await context.close();
    const [left, top] = [(width - side) >> 1, (height - side) >> 1];
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (dark[y * side + x] === "1") grey[(top + y) * width + left + x] = 16;
  }
  writeFileSync(join(dir, "camera.y4m"), Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\nFRAME\n`), grey]));
}

test("a QR code before the camera is read and judged; of another thing it is said what it holds", async () => {
  down();
  const o = await open();
  const scan = async (picture: Uint8Array) => {
    await seen(picture);
    await o.page.click("#camera");
    await o.page.waitForSelector("#viewfinder", { state: "hidden" });
    assert.equal(await o.page.evaluate(() => (document.getElementById("video") as HTMLVideoElement).srcObject), null, "the camera is not given back");
  };
  await dropTrust(o.page, trust);
  await o.page.fill("#subject", firm);
  await scan(readFileSync(join(dir, "fresh.png"))); // as xinlian-verify draws it
  await shows(o.page, "holds", "OK");
  assert.equal(await o.page.textContent("#files"), `QR (${fresh.length})`);

  const wrong = Buffer.from(fresh);
  wrong[fresh.length >> 1]! ^= 1;
  await scan(pictureOf(wrong));
  await shows(o.page, "invalid");
  assert.equal(await o.page.locator(".holds").count(), 0);
  await scan(pictureOf(Buffer.from("https://pay.example/订单/17")));
  assert.match(await shows(o.page, "invalid", "E_MAGIC"), /this is no bundle.*It holds another text: https:\/\/pay\.example\/订单\/17$/);
  await scan(pictureOf(Buffer.from(JSON.stringify(JSON.parse(trust.toString())))));
  assert.match(await shows(o.page, "unverified"), /QR: this is a trust file; it goes to step 1 above/);
  await close(o);

  // The largest code, in Chinese, without a trust file and with one.
  const v = frozen("ok-validators-21");
  const p = await open(v.at, "zh-CN");
  await seen(pictureOf(v.bundle));
  await p.page.click("#camera");
  assert.match(await shows(p.page, "unverified"), new RegExp(v.subject));
  await dropTrust(p.page, v.trust);
  await shows(p.page, "holds", "OK");
  await close(p);
});

test("the camera starts and stops", async () => {
  const o = await open();
  await seen();
  await o.page.click("#camera");
  await o.page.waitForFunction(() => (document.getElementById("video") as HTMLVideoElement).videoWidth > 0);
  await o.page.click("#camera-off");
  await o.page.waitForSelector("#viewfinder", { state: "hidden" });
  await close(o);
});

test("a camera that is not to be had is said, in both languages", async () => {
  const o = await open();
  for (const [name, en, zh] of [["NotAllowedError", /allow it in the browser's settings/, /在浏览器的网站设置中允许/], ["NotFoundError", /there is none/, /没有找到摄像头/], ["NotReadableError", /another program has it/, /被其他程序使用/]] as const) {
    await o.page.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("the browser's own words", name));
    }, name);
    for (const text of [en, zh]) {
      await o.page.click("#camera");
      assert.match(await shows(o.page, "unverified"), text);
      await o.page.click("#language");
    }
  }
  await close(o);
});

test("the wrong file: what it is, and nothing verified", async () => {
  down();
  const o = await open();
  await o.page.fill("#subject", firm);
  for (const given of ["without a trust file", "with one"]) {
    for (const [name, bytes, en, zh] of [
      ["contract.pdf", Buffer.from("%PDF-1.7\n%âãÏÓ\n1 0 obj<<>>endobj"), /It is a PDF/, /这是 PDF 文件/],
      ["empty.xla", Buffer.alloc(0), /The file is empty/, /文件是空的/],
      ["list.xlsx", Buffer.from("PK\x03\x04\x14\x00"), /ZIP archive or an Office file/, /压缩包或 Office 文件/],
      ["photo.xla", Buffer.from("\x89PNG\r\n", "latin1"), /It is a picture/, /这是图片/],
      ["code.txt", Buffer.from(firm + "\r\n"), new RegExp("It holds another text: " + firm), /其内容是另外的文字/],
      ["long.txt", Buffer.from("信".repeat(201)), /another text: 信{200}…$/, /另外的文字： 信{200}…$/],
      ["turned.txt", Buffer.from("abc\u202edef"), /no file of this ledger/, /不是本系统的文件/], // its text would not be shown as it is
    ] as const) {
      await dropBundle(o.page, bytes, name);
      await o.page.waitForSelector(`#files >> text=${name}`);
      assert.match(await shows(o.page, "invalid", "E_MAGIC"), en, given);
      await o.page.click("#language");
      assert.match(await shows(o.page, "invalid", "E_MAGIC"), zh, given);
      await o.page.click("#language");
    }
    await dropBundle(o.page, trust, "trust.json");
    assert.match(await shows(o.page, "unverified"), /trust\.json: this is a trust file; it goes to step 1 above/);
    await dropTrust(o.page, trust);
  }
  // Larger than any file should be, and larger than any is.
  const big = join(dir, "big.bin");
  for (const [megabytes, verdict, text] of [[200, "invalid", /no file of this ledger/], [300, "unverified", /big\.bin: the file is too large/]] as const) {
    writeFileSync(big, "");
    truncateSync(big, megabytes << 20);
    await o.page.setInputFiles("#bundle", big);
    await o.page.waitForSelector(`#result [data-verdict="${verdict}"]`);
    assert.match(await shows(o.page, verdict), text);
  }
  rmSync(big);
  // A folder, which Chromium gives as a file that cannot be read.
  await o.page.evaluate(() => {
    const d = new DataTransfer();
    d.items.add(new File([], "folder"));
    d.files[0]!.arrayBuffer = () => Promise.reject(new DOMException("the browser's own words", "NotFoundError"));
    Object.assign(globalThis, { d });
  });
  const folder = await o.page.evaluateHandle(() => (globalThis as unknown as { d: DataTransfer }).d);
  for (const text of [/folder: the file cannot be read; of a folder, drop the files in it\./, /folder: 文件无法读取；若是文件夹，请拖入其中的文件。/]) {
    await o.page.dispatchEvent("#drop-bundle", "drop", { dataTransfer: folder });
    await o.page.waitForSelector("#result >> text=folder: ");
    assert.match(await shows(o.page, "unverified"), text);
    await o.page.click("#clear");
    await o.page.click("#language");
  }

  // In the place of the trust file.
  const refused = async (want: RegExp, ...files: { name: string; bytes: Uint8Array }[]) => {
    await drop(o.page, "#drop-trust", ...files);
    await o.page.waitForSelector(`#trust-refused >> text=${files.map((f) => f.name).join(", ")}:`);
    assert.match((await o.page.textContent("#trust-refused"))!, want);
    assert.equal(await o.page.isVisible("#trust-facts"), false);
  };
  await refused(/E_TRUST.*goes to step 3 below/, { name: "fresh.xla", bytes: fresh });
  await refused(/E_TRUST.*goes to step 3 below/, { name: "negative.xlp", bytes: pack });
  await refused(/E_TRUST/, { name: "empty.json", bytes: Buffer.alloc(0) });
  await refused(/E_TRUST.*choose one trust file/, { name: "trust.json", bytes: trust }, { name: "other.json", bytes: frozen("ok-present").trust });
  await dropBundle(o.page, fresh, "fresh.xla");
  assert.match(await shows(o.page, "unverified"), /choose a trust file/);
  await dropTrust(o.page, trust);
  await shows(o.page, "holds", "OK");
  assert.match((await o.page.textContent("#trust-facts"))!, /Filetrust\.json/);
  await close(o);
});

test("of several files of which one can be judged, none is", async () => {
  down();
  const o = await open();
  await dropTrust(o.page, trust);
  const good = { name: "good.xla", bytes: fresh };
  const changed = Buffer.from(fresh);
  changed[300]! ^= 1;
  const bad = { name: "bad.xla", bytes: changed };
  const pdf = { name: "contract.pdf", bytes: Buffer.from("%PDF-1.7") };
  const whole = { name: "negative.xlp", bytes: pack };
  for (const files of [[bad, good], [good, bad], [good, { ...good }], [pdf, good], [good, whole], [whole, good]]) {
    await dropBundle(o.page, fresh, "alone.xla");
    await shows(o.page, "holds", "OK");
    await drop(o.page, "#drop-bundle", ...files);
    const text = await shows(o.page, "unverified");
    assert.match(text, /only one of these can be judged at a time; nothing was judged/);
    for (const f of files) assert.ok(text.includes(f.name), text);
    assert.equal(await o.page.locator("#files li").count(), 0);
    assert.equal(await o.page.locator(".holds").count(), 0);
  }
  // One that cannot be taken at all, before or after one that can.
  const photo = { name: "photo.png", bytes: Buffer.from("no picture"), type: "image/png" };
  for (const files of [[photo, good], [good, photo]]) {
    await drop(o.page, "#drop-bundle", ...files);
    assert.match(await shows(o.page, "unverified"), /photo\.png: no QR code/);
  }
  await dropBundle(o.page, fresh, "alone.xla");
  await shows(o.page, "holds", "OK");
  await close(o);
});

test("a file that misses its place is judged all the same, and is never taken for a trust file", async () => {
  down();
  const o = await open();
  const missed = (bytes: Uint8Array, name: string) => drop(o.page, "#h-result", { name, bytes });
  await missed(trust, "trust.json");
  assert.match(await shows(o.page, "unverified"), /trust\.json: this is a trust file; it goes to step 1 above/);
  assert.equal(await o.page.isVisible("#trust-facts"), false);
  await dropTrust(o.page, trust);
  assert.equal(await o.page.locator("#files li").count(), 0, "the trust file is to be judged as well");
  await missed(fresh, "fresh.xla");
  await shows(o.page, "holds", "OK");
  await dropBundle(o.page, fresh); // taken once
  await o.page.waitForSelector("#files >> text=bundle.xla");
  await shows(o.page, "holds", "OK");
  assert.equal(await o.page.locator("#files li").count(), 1);
  await close(o);
});

test("with the keyboard alone", async () => {
  down();
  writeFileSync(join(dir, "trust-here.json"), trust);
  const o = await open();
  const { keyboard } = o.page;
  const focus = () => o.page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);
  /** tabTo goes on until an element has the focus, and gives what was passed. */
  const tabTo = async (id: string) => {
    const passed: (string | undefined)[] = [];
    for (;;) {
      await keyboard.press("Tab");
      const at = await focus();
      if (at === id) return passed;
      assert.ok(passed.push(at) < 20, `${id} is not among ${passed}`);
    }
  };
  const choose = async (file: string) => {
    const chooser = o.page.waitForEvent("filechooser");
    await keyboard.press("Space");
    await (await chooser).setFiles(file);
  };
  assert.deepEqual(await tabTo("trust"), ["language"]);
  await choose(join(dir, "trust-here.json"));
  await o.page.waitForSelector("#trust-facts >> text=trust-here.json");
  await tabTo("subject");
  await keyboard.type(firm);
  assert.deepEqual(await tabTo("bundle"), ["claim", "max-age"]);
  await choose(join(dir, "fresh.xla"));
  await shows(o.page, "holds", "OK");
  await seen();
  assert.deepEqual(await tabTo("camera"), []);
  await keyboard.press("Enter");
  await o.page.waitForFunction(() => (document.getElementById("video") as HTMLVideoElement).videoWidth > 0);
  assert.equal(await focus(), "camera-off");
  await keyboard.press("Enter");
  await o.page.waitForSelector("#viewfinder", { state: "hidden" });
  assert.equal(await focus(), "camera");
  assert.deepEqual(await tabTo("clear"), []);
  await keyboard.press("Enter");
  await o.page.waitForSelector("#clear", { state: "hidden" });
  assert.equal(await focus(), "bundle");
  await close(o);
});

test("on a phone nothing is wider than the screen, and the verdict comes into sight", async () => {
  down();
  const v = frozen("no-negative"); // with tables
  for (const language of ["en", "zh-CN"]) {
    const o = await open(v.at, language, { viewport: { width: 360, height: 700 } });
    await dropTrust(o.page, v.trust);
    await o.page.waitForSelector("#trust-facts");
    await dropBundle(o.page, v.bundle);
    await shows(o.page, "does-not-hold", "E_CLAIM");
    await o.page.waitForFunction(() => {
      const at = document.querySelector("#result [data-verdict]")!.getBoundingClientRect();
      return at.top > -1 && at.bottom < innerHeight + 1; // a page is scrolled by whole pixels
    });
    assert.equal(await o.page.evaluate(() => document.documentElement.scrollWidth), 360);
    const narrow = await o.page.evaluate(() => [...document.querySelectorAll("dd, td")].filter((e) => e.getBoundingClientRect().width < 60).map((e) => e.textContent));
    assert.deepEqual(narrow, []);
    await close(o);
  }
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
