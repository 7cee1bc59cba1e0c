// The page: what a person chooses goes into the verifier, what it answers is shown. It sends nothing, keeps nothing and reads one thing
// besides: the clock of the machine. Text from files is set as text, never as markup.

import { type AnchoredRoot, anchorProofMagic, openAnchorProof } from "../src/anchor.js";
import { byteText, hex, utf8Text } from "../src/bytes.js";
import { type Bundle, decodeBundle, maxSeconds, unarmor } from "../src/bundle.js";
import { parseClaim, claimText } from "../src/claim.js";
import { Refusal } from "../src/errors.js";
import { applyDelta, deltaMagic, openPack, type Pack, packMagic, packSummary, type PackSummary } from "../src/pack.js";
import { commitmentStates } from "../src/standing.js";
import { formatTime } from "../src/time.js";
import { sha256 } from "../src/tree.js";
import { parseTrust, type Trust } from "../src/trust.js";
import { type Policy, type Verdict, verify, verifyMany } from "../src/verify.js";
import { standingView } from "../src/view.js";
import { agree, type Answer, type Held, type Judged, judgeAll, looksHeld, readReceipts } from "./receipts.js";
import { Camera, readCode } from "./scan.js";
import { codeWord, isWord, type Language, term, type Word, verdictWord, word } from "./words.js";

const fileMax = 273 * 1024 * 1024; // the largest pack is below
const openingMagic = "XLR1"; // what opens classes of the restricted section is not judged here: it is half of an answer
const textMax = 200; // characters that are shown of a text that is no bundle
const second = 1_000_000_000n;

function the<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** el makes an element; children that are texts become text. */
function el(tag: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  for (const c of children) e.append(c);
  return e;
}

interface Given {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const page = {
  language: (navigator.language.startsWith("zh") ? "zh" : "en") as Language,
  trust: undefined as { name: string; trust: Trust; digest: string } | undefined,
  trustRefused: undefined as (Given & { readonly why: Refusal }) | undefined,
  bundle: undefined as Given | undefined,
  headers: [] as Given[],
  witness: undefined as Given | undefined,
  stamps: [] as Given[],
  receipts: undefined as Given | undefined, // the bundle beside them is that of their answer
  opening: undefined as Given | undefined, // of that answer
  anchors: [] as Given[], // anchor proofs
  trouble: undefined as string | undefined, // of the last file: it was no bundle at all
  deltaRefused: undefined as Refusal | undefined,
  opened: undefined as { readonly of: readonly unknown[]; readonly pack: Promise<Pack> } | undefined, // what was asked for, and what came of it
};

const say = (w: Word): string => word(w, page.language);

// Files. What a file is, its first bytes tell.

async function takeTrust(files: readonly File[]): Promise<void> {
  const [file] = files;
  if (file === undefined) return;
  page.trust = page.trustRefused = undefined;
  await reads(async () => {
    let bytes: Uint8Array | undefined;
    try {
      if (files.length > 1) throw new Error(say("oneTrust")); // which of them is believed must not hang on their order
      bytes = await bytesOf(file);
      page.trust = { name: file.name, trust: parseTrust(bytes), digest: hex(sha256(bytes)) };
    } catch (e) {
      const name = files.map((f) => f.name).join(", ");
      page.trustRefused = { name, bytes: bytes ?? new Uint8Array(), why: e instanceof Refusal ? e : new Refusal("usage", 1, "E_TRUST", messageOf(e)) };
    }
  });
}

const takeFiles = (files: readonly File[]): Promise<void> => reads(() => readFiles(files));

/**
 * readFiles takes files that came together. Where one cannot be taken, or one takes the place of another of them, none is: a verdict on what is left would be
 * taken for one on all.
 */
async function readFiles(files: readonly File[]): Promise<void> {
  const deltas: Given[] = []; // a delta waits for the pack that was dropped beside it
  const together: Given[] = [];
  try {
    for (const f of files) {
      const given = { name: f.name, bytes: await bytesOf(f) };
      if (startsWith(given.bytes, deltaMagic)) {
        deltas.push(given);
        continue;
      }
      if (f.type.startsWith("image/")) {
        const code = await readCode(f).catch(() => undefined);
        if (code === undefined) throw new Error(`${f.name}: ${say("noCode")}`);
        given.bytes = code;
      }
      take(given);
      together.push(given);
      const gone = together.find((g) => !here().includes(g));
      if (gone !== undefined) throw new Error(`${gone.name}, ${f.name}: ${say("oneAtATime")}`);
    }
    if (deltas.length > 1) throw new Error(`${deltas.map((d) => d.name).join(", ")}: ${say("oneAtATime")}`);
  } catch (e) {
    forget();
    page.trouble = messageOf(e);
    return;
  }
  for (const d of deltas) takeDelta(d);
}

/** here gives the files that are judged together. */
const here = (): Given[] => [page.bundle, ...page.headers, page.opening, page.receipts, ...page.anchors, page.witness, ...page.stamps].filter((g) => g !== undefined);

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** takeDelta makes the newer pack of the one that is here. What comes out is judged as any pack is. */
function takeDelta(delta: Given): void {
  const base = page.bundle;
  page.deltaRefused = undefined;
  if (base === undefined || !isPack(base)) {
    page.trouble = `${delta.name}: ${say("needPack")}`;
    return;
  }
  try {
    page.bundle = { name: `${base.name} + ${delta.name}`, bytes: applyDelta(base.bytes, delta.bytes) };
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    page.deltaRefused = e;
  }
}

const isPack = (given: Given): boolean => startsWith(given.bytes, packMagic);

function summary(pack: Given): PackSummary | undefined {
  try {
    return packSummary(pack.bytes);
  } catch {
    return undefined; // the verifier will say why
  }
}

function take(given: Given): void {
  page.trouble = page.deltaRefused = undefined;
  if (startsWith(given.bytes, "xinlian.header/v1/")) {
    page.witness = given;
    return;
  }
  if (given.bytes[0] === 0x30) {
    page.stamps.push(given); // DER, which a bundle never begins like
    return;
  }
  // Receipts, the proofs of their anchors and the answer that they are of stay together. A pack has nothing to do with them: it takes their place, and they
  // take that of a pack.
  const receiptAside = (what: () => void) => {
    if (page.bundle !== undefined && isPack(page.bundle)) leaveBundle();
    what();
  };
  if (startsWith(given.bytes, anchorProofMagic.slice(0, 3))) {
    return receiptAside(() => (page.anchors = [...page.anchors.filter((a) => a.name !== given.name), given]));
  }
  if (startsWith(given.bytes, openingMagic)) return receiptAside(() => (page.opening = given));
  if (looksHeld(given.bytes)) {
    if (isTrust(given.bytes)) throw new Error(`${given.name}: ${say("isTrust")}`);
    return receiptAside(() => (page.receipts = given));
  }
  if (isPack(given)) {
    page.receipts = page.opening = undefined;
    page.anchors = [];
  }
  const here = formOf(page.bundle);
  const form = formOf(given);
  if (here === "header-known" && form !== undefined && form !== "header-known") {
    page.headers.push(given); // it carries the header that the bundle names
    return;
  }
  if (form === "header-known" && page.bundle !== undefined && here !== undefined) page.headers.push(page.bundle);
  else page.headers = [];
  page.bundle = given;
  const claim = isPack(given) ? summary(given)?.claim : undefined;
  if (claim !== undefined) the<HTMLSelectElement>("claim").value = claim; // the one that it decides
}

function leaveBundle(): void {
  page.bundle = page.opened = undefined;
  page.headers = [];
}

function forget(): void {
  leaveBundle();
  page.witness = page.trouble = page.deltaRefused = page.receipts = page.opening = undefined;
  page.stamps = [];
  page.anchors = [];
}

function formOf(given: Given | undefined): Bundle["form"] | undefined {
  return given === undefined ? undefined : decoded(given.bytes)?.form;
}

function decoded(bytes: Uint8Array): Bundle | undefined {
  try {
    return decodeBundle(bytes);
  } catch {
    return undefined; // the verifier will say why
  }
}

async function bytesOf(file: File): Promise<Uint8Array> {
  if (file.size > fileMax) throw new Error(`${file.name}: ${say("tooLarge")}`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name}: ${say("unreadable")}`); // a folder, which a browser gives as a file, or one that went away
  }
}

function isTrust(bytes: Uint8Array): boolean {
  try {
    parseTrust(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * whatElse says what a file is that does not begin as a bundle does, in the words of who brings the wrong one: a text, as codes of other things hold, is shown.
 * undefined: it begins as one.
 */
function whatElse(bytes: Uint8Array): string | undefined {
  try {
    decodeBundle(bytes);
    return undefined;
  } catch (e) {
    if (!(e instanceof Refusal) || e.code !== "E_MAGIC") return undefined;
  }
  if (bytes.length === 0) return say("isEmpty");
  for (const [magic, w] of [["%PDF", "isPDF"], ["PK\x03\x04", "isZip"], ["\x89PNG", "isPicture"], ["\xff\xd8\xff", "isPicture"]] as const) {
    if (startsWith(bytes, magic)) return say(w);
  }
  const all = [...new TextDecoder().decode(bytes.subarray(0, 4 * (textMax + 1)))];
  const text = all.slice(0, textMax).join("");
  if (/[\ufffd\p{C}]/u.test(text.replace(/[\t\r\n]/g, " "))) return say("isOther"); // no text, or one that would not be shown as it is
  return `${say("isText")} ${text}${all.length > textMax ? "…" : ""}`;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return byteText(bytes.subarray(0, text.length)) === text;
}

// The question.

function policy(): Policy {
  const kind = the<HTMLSelectElement>("claim").value;
  const parameter = the<HTMLInputElement>("parameter").value.trim();
  const claim = parseClaim(kind === "commitment" || kind === "incentive" ? `${kind}:${parameter}` : kind);
  const age = the<HTMLSelectElement>("max-age").value;
  const p = {
    subject: the<HTMLInputElement>("subject").value.trim(),
    claim,
    now: BigInt(Date.now()) * 1_000_000n,
    headers: page.headers.map((h) => h.bytes),
    stamps: page.stamps.map((s) => s.bytes),
    ...(page.witness === undefined ? {} : { witness: page.witness.bytes }),
  };
  return age === "any-age" ? { ...p, unsafeAnyAge: true } : { ...p, maxAge: BigInt(age.slice(0, -1)) * 3600n * second };
}

// The answer.

let asked = 0; // answers may overtake each other: only the last question's is shown
let reading = 0; // files that are being taken: what is answered meanwhile is of other files

/** reads takes files, during which no verdict is on the screen, and shows what comes of them. */
async function reads(taken: () => Promise<void>): Promise<void> {
  reading++;
  pending();
  try {
    await taken();
  } catch (e) {
    forget();
    page.trouble = unexpected(e);
  }
  reading--;
  await show();
  look();
}

/** look brings the verdict on a file into sight, which stands below what it was dropped on. */
function look(): void {
  the("result").querySelector("[data-verdict]")?.scrollIntoView({ block: "nearest" });
}

/** pending takes away the verdict of another question, before anything is judged: one that stayed would be taken for the answer. */
function pending(): number {
  the("result").replaceChildren(el("p", { "data-judging": "" }, say("judging")));
  return ++asked;
}

const unexpected = (e: unknown): string => `${say("failed")}: ${messageOf(e)}`;

async function show(): Promise<void> {
  const turn = pending();
  let out: Node;
  try {
    showTrust();
    showFiles();
    out = together(await answer());
  } catch (e) {
    out = unverified(unexpected(e)); // a browser that cannot, a file that is too much for it, a fault of the page: never a verdict
  }
  if (turn === asked && reading === 0) the("result").replaceChildren(out);
}

/** together puts nodes side by side. There may be more of them than a call takes arguments. */
function together(nodes: readonly Node[]): DocumentFragment {
  const all = document.createDocumentFragment();
  for (const n of nodes) all.appendChild(n);
  return all;
}

async function answer(): Promise<Node[]> {
  const { bundle } = page;
  if (page.trouble !== undefined) return [unverified(page.trouble)];
  if (page.deltaRefused !== undefined) return [banner(page.deltaRefused.verdict, page.deltaRefused.code, page.deltaRefused.text)];
  const receipts = page.receipts !== undefined || page.anchors.length !== 0 || page.opening !== undefined;
  if (receipts && bundle === undefined) return receiptAnswer();
  if (receipts) return [...(await receiptAnswer()), el("h3", {}, say("answerBundle")), ...(await bundleAnswer(bundle!))];
  return bundleAnswer(bundle);
}

async function bundleAnswer(bundle: Given | undefined): Promise<Node[]> {
  const { trust } = page;
  if (bundle === undefined) return [el("p", {}, say("needBundle"))];
  const other = isPack(bundle) ? undefined : whatElse(bundle.bytes);
  if (other !== undefined) return [banner("invalid", "E_MAGIC", "", el("p", {}, other))]; // no trust is needed to say so
  if (trust === undefined) return [unverified(say("needTrust")), ...selfSaid(bundle)];
  let p: Policy | undefined;
  try {
    p = policy();
    if (isPack(bundle)) return packAnswer(await opened(bundle, trust.trust, p), p);
    const verdicts = p.subject === "" ? await verifyMany(bundle.bytes, trust.trust, p) : [await verify(bundle.bytes, trust.trust, p)];
    return verdicts.flatMap((v) => verdictOf(v, p!));
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return refused(e as Refusal<Verdict[]>, p, bundle);
  }
}

function banner(kind: string, code: string, text: string, ...more: Node[]): HTMLElement {
  return el(
    "div",
    { class: `verdict ${kind}`, "data-verdict": kind, "data-code": code },
    el("p", { class: "word" }, verdictWord(kind, page.language)),
    el("p", {}, el("code", {}, code), " ", codeWord(code, page.language)),
    ...(text === "" ? [] : [el("p", { class: "hint", lang: "en" }, text)]),
    ...more,
  );
}

function unverified(text: string): HTMLElement {
  return el(
    "div",
    { class: "verdict unverified", "data-verdict": "unverified" },
    el("p", { class: "word" }, say("unverified")),
    el("p", {}, text),
  );
}

function refused(e: Refusal<Verdict[]>, p: Policy | undefined, bundle: Given): Node[] {
  const out: Node[] = [banner(e.verdict, e.code, e.text)];
  if (e.seen !== undefined && p !== undefined) {
    out.push(el("p", {}, say("provenThen")), ...e.seen.flatMap((v) => facts(v, p)));
    return out;
  }
  return [...out, ...selfSaid(bundle)];
}

/** opened opens a pack once for the same question: the code that is looked up and the time are asked of what is open. */
function opened(pack: Given, trust: Trust, p: Policy): Promise<Pack> {
  const of = [pack.bytes, trust, claimText(p.claim), p.maxAge, page.witness, page.stamps.length];
  if (page.opened === undefined || of.some((x, i) => x !== page.opened!.of[i])) {
    page.opened = { of, pack: openPack(pack.bytes, trust, { ...p, subject: "" }) };
  }
  return page.opened.pack;
}

function packAnswer(pack: Pack, p: Policy): Node[] {
  pack.checkAt(p.now);
  const facts = definitions([
    [say("claim"), `${term(pack.claim.kind, page.language)} (${claimText(pack.claim)})`],
    [say("members"), String(pack.size)],
    [say("time"), both(pack.time)],
    [say("age"), duration(p.now > pack.time ? p.now - pack.time : 0n)],
    [say("clock"), both(p.now)],
    [say("height"), String(pack.height)],
    [say("packRoot"), hex(pack.root)],
    ...(pack.seen.witnessed.length === 0 ? [] : [[say("witnessed"), pack.seen.witnessed.join(", ")] as [string, string]]),
    ...(pack.seen.stamped.length === 0 ? [] : [[say("stamped"), pack.seen.stamped.join(", ")] as [string, string]]),
  ]);
  if (p.subject === "") return [banner("opened", "OK", "", el("p", {}, say("lookUp"))), facts];
  const v = pack.judge(p.subject, p.now);
  const said = el("p", {}, say(v.holds ? "notInPack" : "inPack"));
  return [banner(v.holds ? "holds" : "does-not-hold", v.code, "", said), definitions([[say("subjectFact"), v.subject]]), facts];
}

/** receiptAnswer judges receipts by the anchor proofs and the answer that are here. The question of the form is not asked: it is of bundles and packs. */
async function receiptAnswer(): Promise<Node[]> {
  const { receipts, anchors, trust, bundle, opening } = page;
  let held: readonly Held[] = [];
  try {
    if (receipts !== undefined) held = readReceipts(receipts.bytes);
    if (opening !== undefined && bundle === undefined) return [unverified(say("needAnswer"))]; // an opening is half an answer
    if (opening !== undefined && receipts === undefined && anchors.length === 0) return [unverified(say("needReceiptOf"))];
    const answer: Answer | undefined = bundle === undefined ? undefined : { bundle: unarmor(bundle.bytes), opening: opening?.bytes ?? new Uint8Array() };
    if (trust === undefined) {
      return [unverified(say("needTrust")), ...judgeAll(held, [], receipts === undefined ? undefined : answer).map((j) => saysItself(receiptFacts(j)))];
    }
    const now = BigInt(Date.now()) * 1_000_000n;
    const when = { now, stamps: page.stamps.map((s) => s.bytes), ...(page.witness === undefined ? {} : { witness: page.witness.bytes }) };
    const roots: AnchoredRoot[] = [];
    for (const a of anchors) roots.push(await openAnchorProof(a.bytes, trust.trust, when));
    agree(roots);
    if (receipts === undefined) {
      return [banner("anchor-proven", "OK", "", el("p", {}, say("needReceipt"))), ...roots.map((r) => definitions(anchorFacts(r)))];
    }
    return judgeAll(held, roots, answer).flatMap(receiptVerdict);
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return [banner(e.verdict, e.code, e.text)];
  }
}

function receiptVerdict(j: Judged): Node[] {
  const at = j.hour === undefined ? "" : ` ${j.says.gateway}/${j.hour}`;
  if (j.by !== undefined) return [banner("anchored", "OK", "", el("p", {}, say("anchoredSays"))), definitions([...receiptFacts(j), ...anchorFacts(j.by)])];
  const kind = j.hour === undefined ? "not-anchored" : "anchor-not-given";
  return [
    el(
      "div",
      { class: `verdict ${kind}`, "data-verdict": kind },
      el("p", { class: "word" }, verdictWord(kind, page.language)),
      el("p", {}, say(j.hour === undefined ? "notAnchored" : "needAnchor"), ...(at === "" ? [] : [el("code", {}, at)])),
    ),
    saysItself(receiptFacts(j)),
  ];
}

const purposes = ["", "pre_loan", "in_loan", "post_loan", "guarantee", "supply_chain", "insurance"];
const classes = ["", "grade", "data_commitments"];

function receiptFacts({ says: r, hour, ofAnswer }: Judged): (readonly [string, string])[] {
  const language = page.language;
  const named = (list: readonly number[]) => (list.length === 0 ? say("none") : list.map((c) => term(classes[c]!, language)).join(", "));
  return [
    [say("receipt"), hex(r.id)],
    [say("subjectFact"), r.subject],
    [say("requester"), r.requester],
    [say("gateway"), r.gateway],
    [say("purpose"), term(purposes[r.purpose]!, language)],
    [say("authorisation"), r.authorisation.length === 0 ? say("none") : hex(r.authorisation)],
    [say("askedFor"), named(r.asked)],
    [say("openedClasses"), named(r.opened)],
    [say("time"), both(r.atTime * second)],
    [say("height"), String(r.atHeight)],
    [say("answerDigest"), hex(r.answerDigest)],
    ...(ofAnswer === undefined ? [] : [[say("answerHere"), say(ofAnswer ? "answerAgrees" : "answerOther")] as const]),
    ...(hour === undefined ? [] : [[say("hour"), hourText(hour)] as const]),
  ];
}

function anchorFacts(a: AnchoredRoot): (readonly [string, string])[] {
  return [
    [say("anchorOf"), `${a.gateway} ${hourText(a.hour)}`],
    [say("anchorRoot"), hex(a.root)],
    [say("anchorBlock"), String(a.blockHeight)],
    [say("provenBy"), `${a.headerHeight} · ${both(a.time)}`],
    [say("signedPower"), `${a.signedPower}/${a.totalPower}`],
    ...(a.seen.witnessed.length === 0 ? [] : [[say("witnessed"), a.seen.witnessed.join(", ")] as const]),
    ...(a.seen.stamped.length === 0 ? [] : [[say("stamped"), a.seen.stamped.join(", ")] as const]),
  ];
}

const hourText = (hour: bigint): string => (hour > maxSeconds / 3600n ? String(hour) : `${hour} · ${both(hour * 3600n * second)}`);

/** selfSaid shows what a file says that has not been verified. */
function selfSaid(given: Given): Node[] {
  if (isPack(given)) {
    const s = summary(given);
    if (s === undefined) return [];
    return [saysItself([[say("claim"), term(s.claim, page.language)], [say("members"), String(s.size)], [say("height"), String(s.height)]])];
  }
  const b = decoded(given.bytes);
  if (b === undefined) return [];
  const height = "hash" in b.block ? b.block.height : b.block.header.height;
  return [
    saysItself([
      [say("form"), term(b.form, page.language)],
      [say("height"), String(height - 1n)],
      ...b.entries.slice(0, 20).map((x): [string, string] => [say("subjectFact"), x.subject]),
    ]),
  ];
}

function saysItself(pairs: readonly (readonly [string, string])[]): HTMLElement {
  return el(
    "div",
    { class: "verdict unverified", "data-self-said": "" },
    el("p", { class: "word" }, say("unverified")),
    el("p", {}, say("unverifiedSays")),
    definitions(pairs),
  );
}

function verdictOf(v: Verdict, p: Policy): Node[] {
  const more = p.subject === "" ? [el("p", { class: "warning" }, say("compareSubject"))] : [];
  return [banner(v.holds ? "holds" : "does-not-hold", v.code, v.reason, ...more), ...facts(v, p)];
}

function facts(v: Verdict, p: Policy): Node[] {
  const language = page.language;
  const out: Node[] = [
    definitions([
      [say("subjectFact"), v.subject],
      [say("claim"), `${term(v.claim.kind, language)} (${claimText(v.claim)})`],
      [say("time"), both(v.time)],
      [say("age"), duration(v.age)],
      [say("clock"), both(p.now)],
      [say("height"), String(v.height)],
      [say("chain"), utf8Text(v.chainId)],
      [say("headerHash"), hex(v.headerHash)],
      [say("signers"), `${v.signers}/${v.validators} (${v.signedPower}/${v.totalPower})`],
      ...(v.witnessed.length === 0 ? [] : [[say("witnessed"), v.witnessed.join(", ")] as [string, string]]),
      ...(v.stamped.length === 0 ? [] : [[say("stamped"), v.stamped.join(", ")] as [string, string]]),
      [say("enrolled"), v.standing === undefined ? say("notEnrolled") : say("yes")],
    ]),
  ];
  const s = standingView(v.standing);
  if (s === null) return out;
  out.push(
    el("h3", {}, say("standing")),
    definitions([
      [say("status"), term(s.status, language)],
      [say("region"), s.region],
      [say("mayPromise"), s.may_promise ? say("yes") : say("no")],
    ]),
    ...list("penalties", s.penalties, s.counts.penalties, ["doc_no", "issuer", "class", "kinds", "decided_on", "min_until", "max_until", "final", "objection"]),
    ...list("lists", s.lists, s.counts.lists, ["list", "doc_no", "issuer", "decided_on", "min_until", "max_until", "final", "objection"]),
    ...list("abnormal", s.abnormal, s.counts.abnormal, ["reason", "issuer", "listed_on", "objection"]),
    ...list("others", s.others, s.counts.others, ["source", "doc_no", "issuer", "class", "decided_on", "min_until", "max_until", "final", "objection"]),
    ...list("commitments", s.commitments, s.counts.commitments, ["code", "state", "made_on", "valid_until", "acceptor", "objection"]),
    ...list("incentives", s.incentives, s.counts.incentives + s.counts.noticed, ["list", "issuer", "state", "notice_until", "decided_on", "valid_until", "objection"]),
  );
  return out;
}

/** columns are the words over the fields of a view, where they are not the field's own name. */
const columns: Record<string, Word> = {
  doc_no: "docNo",
  decided_on: "decidedOn",
  listed_on: "listedOn",
  min_until: "minUntil",
  max_until: "maxUntil",
  made_on: "madeOn",
  valid_until: "validUntil",
  notice_until: "noticeUntil",
  code: "commitmentCode",
};

function list<T extends object>(name: Word, rows: readonly T[], count: number, fields: readonly (keyof T & string)[]): Node[] {
  const title = el("h3", {}, `${say(name)}: ${count === 0 ? say("none") : count}`);
  if (count === 0) return [title];
  if (rows.length === 0) return [title, el("p", {}, `${count} ${say("rootStands")}`)];
  const columnWord = (f: string) => columns[f] ?? (isWord(f) ? f : undefined);
  return [
    title,
    el(
      "table",
      { "data-list": name },
      el("tr", {}, ...fields.map((f) => el("th", {}, columnWord(f) === undefined ? f : say(columnWord(f)!)))),
      ...rows.map((r) => el("tr", {}, ...fields.map((f) => el("td", {}, cell(r[f]))))),
    ),
  ];
}

function cell(value: unknown): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? say("yes") : "";
  if (Array.isArray(value)) return value.join(", ");
  return term(String(value), page.language);
}

function definitions(pairs: readonly (readonly [string, string])[]): HTMLElement {
  return el("dl", {}, ...pairs.flatMap(([k, v]) => [el("dt", {}, k), el("dd", { class: "mono" }, v)]));
}

/** both writes a time in UTC and in that of the machine. */
function both(t: bigint): string {
  const local = new Date(Number(t / 1_000_000n)).toLocaleString(page.language === "zh" ? "zh-CN" : "en-GB", { timeZoneName: "short" });
  return `${formatTime(t)} · ${local}`;
}

function duration(age: bigint): string {
  const s = Number(age / second);
  const parts = [Math.floor(s / 86400), Math.floor((s % 86400) / 3600), Math.floor((s % 3600) / 60), s % 60];
  const units = page.language === "zh" ? ["天", "小时", "分", "秒"] : ["d", "h", "min", "s"];
  const shown = parts.map((n, i) => `${n} ${units[i]}`).filter((_, i) => parts[i] !== 0 || i === 3);
  return shown.join(" ");
}

function trustRefusal({ name, bytes, why }: Given & { readonly why: Refusal }): string {
  const bundle = isPack({ name, bytes }) || decoded(bytes) !== undefined;
  return `${name}: ${why.code} ${codeWord(why.code, page.language)} (${why.text})${bundle ? ` ${say("isBundle")}` : ""}`;
}

function showTrust(): void {
  const facts = the("trust-facts");
  facts.hidden = page.trust === undefined;
  const refusal = the("trust-refused");
  refusal.hidden = page.trustRefused === undefined;
  refusal.textContent = page.trustRefused === undefined ? "" : trustRefusal(page.trustRefused);
  if (page.trust === undefined) return;
  const { name, trust, digest } = page.trust;
  const shown = definitions([
    [say("file"), name],
    [say("chain"), utf8Text(trust.chainId)],
    [say("anchor"), `${trust.anchor.height} ${hex(trust.anchor.headerHash)}`],
    [say("validators"), String(trust.validators.length)],
    [say("notAfter"), formatTime(trust.notAfter)],
    ...(trust.witnesses.keys.length === 0 ? [] : [[say("witnesses"), `${trust.witnesses.required}/${trust.witnesses.keys.length}`] as const]),
    ...(trust.stamps.authorities.length === 0 ? [] : [[say("stamps"), `${trust.stamps.required}/${trust.stamps.authorities.length}`] as const]),
    [say("trustDigest"), digest],
  ]);
  facts.replaceChildren(...shown.childNodes);
}

function showFiles(): void {
  const names = here().map((g) => `${g.name} (${g.bytes.length})`);
  the("files").replaceChildren(...names.map((n) => el("li", {}, n)));
  the("clear").hidden = names.length === 0 && page.trouble === undefined;
}

// The form.

const claimKinds = ["no-negative", "no-serious", "may-promise", "enrolled", "standing", "commitment", "incentive"];
const ages = ["1h", "24h", "168h", "720h", "any-age"];

function showWords(): void {
  document.documentElement.lang = page.language === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const e of document.querySelectorAll<HTMLElement>("[data-word]")) {
    const w = e.dataset["word"]!;
    if (isWord(w)) e.textContent = say(w);
  }
  const language = the("language");
  language.textContent = page.language === "zh" ? "English" : "中文";
  language.lang = page.language === "zh" ? "en" : "zh-CN";
  options("claim", claimKinds, "no-negative");
  options("max-age", ages, "24h");
  showParameter();
}

function options(id: string, values: readonly string[], first: string): void {
  const select = the<HTMLSelectElement>(id);
  const chosen = select.value === "" ? first : select.value;
  select.replaceChildren(...values.map((v) => el("option", { value: v }, term(v, page.language))));
  select.value = chosen;
}

function showParameter(): void {
  const kind = the<HTMLSelectElement>("claim").value;
  the("claim-parameter").hidden = kind !== "commitment" && kind !== "incentive";
  the("claim-parameter-word").textContent =
    kind === "incentive" ? say("listCode") : `${say("commitmentCode")}=${say("state")} (${commitmentStates.slice(1).join(" ")})`;
}

/** drops makes an element take files that are dropped on it, and not on an element within that takes them itself. */
function drops(e: HTMLElement, taken: (files: File[]) => Promise<void>): void {
  e.addEventListener("dragover", (ev) => {
    ev.preventDefault();
    ev.stopPropagation();
    e.classList.add("over");
  });
  e.addEventListener("dragleave", () => e.classList.remove("over"));
  e.addEventListener("drop", (ev) => {
    ev.preventDefault();
    ev.stopPropagation();
    e.classList.remove("over");
    void taken([...(ev.dataTransfer?.files ?? [])]);
  });
}

/** chosen makes a file input hand over its files, the same file again as well. */
function chosen(id: string, taken: (files: File[]) => Promise<void>): void {
  const input = the<HTMLInputElement>(id);
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    void taken(files);
  });
}

function start(): void {
  drops(the("drop-trust"), takeTrust);
  chosen("trust", takeTrust);
  drops(the("drop-bundle"), takeFiles);
  drops(document.documentElement, takeFiles); // one that misses its place must not replace the page, nor be lost: it is to be judged
  chosen("bundle", takeFiles);
  for (const id of ["subject", "claim", "parameter", "max-age"]) {
    the(id).addEventListener("input", () => {
      showParameter();
      void show();
    });
  }
  the("clear").addEventListener("click", () => {
    forget();
    the("bundle").focus(); // the button goes, and who has no pointer must not begin at the top again
    void show();
  });
  the("language").addEventListener("click", () => {
    page.language = page.language === "zh" ? "en" : "zh";
    showWords();
    void show();
  });
  the("from-node").hidden = location.protocol === "file:"; // a page that was saved has no node
  startCamera();
  showWords();
  void show();
}

/** cameraWords are for why a browser gives no camera. */
const cameraWords: Record<string, Word> = { NotAllowedError: "cameraDenied", NotFoundError: "cameraNone", NotReadableError: "cameraTaken" };

function startCamera(): void {
  const button = the<HTMLButtonElement>("camera");
  button.hidden = !Camera.there;
  the("no-camera").hidden = Camera.there;
  const camera = new Camera(the<HTMLVideoElement>("video"));
  const viewfinder = the("viewfinder");
  button.addEventListener("click", async () => {
    viewfinder.hidden = false;
    button.hidden = true;
    the("camera-off").focus();
    try {
      const code = await camera.find();
      if (code !== undefined) take({ name: "QR", bytes: code });
    } catch (e) {
      forget();
      page.trouble = e instanceof DOMException ? `${say("cameraRefused")}: ${cameraWords[e.name] === undefined ? e.message : say(cameraWords[e.name]!)}` : messageOf(e);
    }
    viewfinder.hidden = true;
    button.hidden = false;
    button.focus();
    await show();
    look();
  });
  the("camera-off").addEventListener("click", () => camera.stop());
}

start();
