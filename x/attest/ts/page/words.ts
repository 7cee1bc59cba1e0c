// What the page says, in Chinese and English.

export type Language = "zh" | "en";

type Both = readonly [zh: string, en: string];

const words = {
  title: ["信链 · 证明包核验", "Xinlian · verify a proof bundle"],
  intro: [
    "核验在您的浏览器中进行，文件不会离开本机；此页载入后可断开网络使用。",
    "Verification happens in your browser: no file leaves this machine, and once the page is loaded it works without a network.",
  ],
  trust: ["1. 信任文件", "1. Trust file"],
  trustWhy: [
    "信任文件说明您相信哪些验证者。请用从联盟取得、经其他渠道核对过的 trust.json；证明包和本页都不能替您提供信任。",
    "The trust file says which validators you believe. Use the trust.json that you got from the consortium and compared by another channel; neither a bundle nor this page can give you trust.",
  ],
  trustDrop: ["将 trust.json 拖到这里，或选择文件：", "Drop trust.json here, or choose it:"],
  trustDigest: ["文件的 SHA-256（请经其他渠道核对）", "SHA-256 of the file (compare it by another channel)"],
  anchor: ["锚定区块", "Anchor block"],
  notAfter: ["有效至", "Valid until"],
  validators: ["验证者", "Validators"],
  witnesses: ["要求的见证方", "Witnesses asked for"],
  fromNode: ["还没有信任文件？", "No trust file yet?"],
  fromNodeWarning: [
    "下面的链接从提供本页的节点下载信任文件。不要仅凭它下结论：若该节点作假，它给出的信任文件会相信它伪造的证明包。下载后请在上面选择该文件，并经另一渠道（例如电话或联盟公告）核对 SHA-256。",
    "The link below downloads a trust file from the node that serves this page. Do not rely on it alone: if that node lies, its trust file believes the bundles that it forges. Choose the downloaded file above, and compare its SHA-256 by another channel (a telephone call, a notice of the consortium).",
  ],
  fromNodeLink: ["下载本节点的 trust.json", "Download this node's trust.json"],
  question: ["2. 问题", "2. Question"],
  subject: ["统一社会信用代码", "Unified social credit code"],
  subjectHint: [
    "代码可不填，此时对证明包中的每个主体作出结论：请自行确认结论中的代码就是您要查的主体。",
    "The code may be left out; then every subject of the bundle is judged: make sure yourself that the code in the verdict is that of the firm you ask about.",
  ],
  claim: ["断言", "Claim"],
  maxAge: ["最大时效", "Largest age"],
  bundle: ["3. 证明包", "3. Bundle"],
  bundleDrop: [
    "将证明包（.xla）、文本封装、二维码图片、区块头证明包或见证文件拖到这里，或选择文件：",
    "Drop a bundle (.xla), its text form, a picture of its QR code, a header bundle or a witness file here, or choose files:",
  ],
  camera: ["用摄像头扫描二维码", "Scan a QR code with the camera"],
  cameraOff: ["停止", "Stop"],
  noCamera: [
    "此处不能使用摄像头（需要 https）；请改用二维码图片。",
    "The camera cannot be used here (it needs https); use a picture of the code.",
  ],
  cameraRefused: ["摄像头无法使用", "The camera cannot be used"],
  clear: ["清除文件", "Remove the files"],
  result: ["结论", "Verdict"],
  limits: [
    "结论只说明区块时间点账本所载内容，不说明此后没有变化，也不说明账本之外没有记录。",
    "A verdict speaks of what the ledger held at the time of the block, not of what came after, nor of records outside the ledger.",
  ],
  needTrust: ["尚未核验：请先选择信任文件。", "Not verified: choose a trust file first."],
  needBundle: ["请拖入证明包。", "Drop a bundle."],
  noCode: ["图片中没有可读的二维码", "no QR code that can be read is in the picture"],
  noPicture: ["图片无法读取", "the picture cannot be read"],
  tooLarge: ["文件过大", "the file is too large"],
  unverified: ["未经核验 UNVERIFIED", "UNVERIFIED 未经核验"],
  unverifiedSays: [
    "以下内容只是文件自称，没有得到证明：",
    "What follows is only what the file says of itself; nothing of it is proven:",
  ],
  provenThen: [
    "以下内容在区块时间点得到证明，但已超过允许的时效：",
    "What follows is proven for the time of the block, which is longer ago than you allow:",
  ],
  compareSubject: [
    "您没有输入代码：请确认下面的代码就是您要查的主体。",
    "You entered no code: make sure that the code below is that of the firm you ask about.",
  ],
  code: ["代码", "Code"],
  subjectFact: ["主体", "Subject"],
  chain: ["链", "Chain"],
  height: ["高度", "Height"],
  headerHash: ["区块哈希", "Block hash"],
  time: ["区块时间", "Block time"],
  age: ["距今", "Age"],
  clock: ["本机时钟", "Clock of this machine"],
  signers: ["签名", "Signatures"],
  witnessed: ["见证方", "Witnesses"],
  form: ["形式", "Form"],
  enrolled: ["在册", "Enrolled"],
  notEnrolled: ["不在册：账本中没有此主体，这本身不说明其信用", "not enrolled: the ledger does not know the subject, which says nothing about it"],
  standing: ["信用状况", "Standing"],
  status: ["状态", "Status"],
  region: ["登记地区划", "Region"],
  mayPromise: ["可适用告知承诺", "May promise (告知承诺)"],
  yes: ["是", "yes"],
  no: ["否", "no"],
  none: ["无", "none"],
  rootStands: ["条，明细由摘要代替，本证明包不含", "entries, replaced by their root; not in this bundle"],
  commitments: ["信用承诺", "Commitments"],
  penalties: ["行政处罚", "Penalties"],
  lists: ["严重失信主体名单", "Lists of serious dishonesty"],
  abnormal: ["异常名录", "Abnormal entries"],
  others: ["其他失信信息", "Other dishonesty"],
  incentives: ["守信激励", "Incentives"],
  commitmentCode: ["承诺编码", "Commitment code"],
  state: ["状态", "State"],
  listCode: ["名单代码", "List code"],
  madeOn: ["承诺日", "Made on"],
  validUntil: ["有效至", "Valid until"],
  acceptor: ["受理单位", "Acceptor"],
  objection: ["异议", "Objection"],
  docNo: ["文号", "Document"],
  issuer: ["认定单位", "Issuer"],
  class: ["失信程度", "Class"],
  kinds: ["种类", "Kinds"],
  decidedOn: ["决定日", "Decided on"],
  listedOn: ["列入日", "Listed on"],
  minUntil: ["最短公示至", "Earliest end"],
  maxUntil: ["最长公示至", "Latest end"],
  final: ["已生效", "Final"],
  list: ["名单", "List"],
  reason: ["事由", "Reason"],
  source: ["来源", "Source"],
  noticeUntil: ["公示至", "Notice until"],
  ageSeconds: ["秒", "s"],
} satisfies Record<string, Both>;

export type Word = keyof typeof words;

export function word(w: Word, language: Language): string {
  return words[w][language === "zh" ? 0 : 1];
}

export const isWord = (w: string): w is Word => w in words;

/** Verdicts, by class. */
const verdicts: Record<string, Both> = {
  holds: ["已核验，断言成立", "Verified: the claim holds"],
  "does-not-hold": ["已核验，断言不成立", "Verified: the claim does NOT hold"],
  invalid: ["无效：不可采信", "Invalid: do not rely on it"],
  untrusted: ["信任文件不支持此证明包", "Not trusted: the trust file does not reach this bundle"],
  stale: ["已过时效", "Stale"],
  unsupported: ["版本不支持", "Unsupported version"],
  usage: ["问题或信任文件不可用", "The question or the trust file cannot be used"],
};

/** Codes, each with what to do about it where that is not plain. */
const codes: Record<string, Both> = {
  OK: ["", ""],
  E_CLAIM: ["账本在该时间点所载与断言不符", "what the ledger held at that time contradicts the claim"],
  E_NOT_ENROLLED: ["主体不在册", "the subject is not enrolled"],
  E_CLAIM_UNDECIDABLE: ["明细由摘要代替，本证明包不能判断", "the list is replaced by its root; this bundle cannot decide the claim"],
  E_POLICY: ["代码、断言或时效填写有误", "the code, the claim or the age is not well formed"],
  E_TRUST: ["信任文件格式有误", "the trust file is not well formed"],
  E_VERSION: ["文件版本不受支持，请更新核验程序", "the file is of a version that this page does not read; get a newer verifier"],
  E_MAGIC: ["这不是证明包", "this is no bundle"],
  E_ARMOR: ["文本封装不完整或被改动", "the text form is cut or changed"],
  E_SIZE: ["文件过大", "the file is larger than allowed"],
  E_ENCODING: ["文件损坏或被改动", "the file is damaged or changed"],
  E_FORM: ["文件内容不可能存在", "a field of the file has an impossible value"],
  E_CHAIN: ["证明包属于另一条链", "the bundle is of another chain than the trust file"],
  E_ANCHOR: ["与信任文件的锚定区块矛盾", "contradicts the anchor of the trust file"],
  E_HEADER: ["指向的区块头与所给的不同", "names another header than the one that was given"],
  E_HEADER_UNKNOWN: ["证明包只指明区块头：请再拖入载有该区块头的证明包", "the bundle only names its header: drop a bundle that carries this header as well"],
  E_SET_FORM: ["验证者集合不可能存在", "a validator set that cannot be"],
  E_SET_HASH: ["验证者集合与区块头不符", "a validator set that its header does not name"],
  E_STEP_ORDER: ["集合变更步骤顺序有误", "the steps between validator sets are out of order"],
  E_STEP_NEXT: ["步骤未指明下一集合", "a step does not name the next validator set"],
  E_COMMIT_FORM: ["签名与集合不对应", "signatures and validator set do not fit"],
  E_SIG_QUORUM: ["签名未超过三分之二", "not more than two thirds have signed"],
  E_SIG_EXCESS: ["签名多于所需", "carries a signature too many"],
  E_SIG: ["签名不能验证", "a signature does not verify"],
  E_APP_HASH: ["内容与已签名的区块不符：可能被改动", "the contents do not lead to the signed block: they may have been changed"],
  E_PATH: ["状态树证明有误", "the tree proof is wrong"],
  E_ENTRY_ORDER: ["条目顺序有误", "the entries are out of order"],
  E_STANDING: ["信用状况不可能存在", "a standing that no ledger could hold"],
  E_SUBJECT: ["证明包不涉及所查主体", "the bundle does not speak of the subject asked about"],
  E_HEADER_FUTURE: ["区块时间在本机时钟之后：请检查时钟", "the block is ahead of this machine's clock: check the clock"],
  E_TRUST_EXPIRED: ["信任文件已过期，请取得新的信任文件", "the trust file has ended; get the current one"],
  E_TRUST_OLDER: ["证明包早于信任文件的锚定区块", "the bundle is older than the anchor of the trust file"],
  E_TRUST_SET: ["签名的验证者不在信任文件中", "the validators that signed are not in the trust file"],
  E_TRUST_WINDOW: ["有验证者不在信任文件允许的时间内", "a validator is outside its window of time in the trust file"],
  E_WITNESS_FORM: ["见证文件格式有误", "the witness file is not well formed"],
  E_WITNESS_OTHER: ["见证文件属于另一区块", "the witness file is of another header"],
  E_WITNESS_SIG: ["见证签名不能验证", "a cosignature does not verify"],
  E_WITNESS_TIME: ["见证时间不可能", "a cosignature has an impossible time"],
  E_WITNESS_QUORUM: ["见证方不足：请拖入见证文件", "too few witnesses: drop a witness file"],
  E_STALE: ["请取得较新的证明包", "fetch a newer bundle"],
};

/** Words of the ledger, by what they are of. */
const terms: Record<string, Both> = {
  pending: ["待受理", "pending"],
  supervised: ["监管中", "supervised"],
  due: ["待评估到期", "due"],
  fulfilled: ["已履行", "fulfilled"],
  breached: ["未履行（违诺）", "breached"],
  cured: ["已履行（补正）", "cured"],
  rejected: ["已拒绝", "rejected"],
  withdrawn: ["已撤回", "withdrawn"],
  minor: ["轻微", "minor"],
  general: ["一般", "general"],
  serious: ["严重", "serious"],
  active: ["存续", "active"],
  deregistered: ["注销", "deregistered"],
  revoked: ["吊销", "revoked"],
  noticed: ["公示", "under notice"],
  checked: ["核查", "being checked"],
  recognised: ["认定", "recognised"],
  "self-contained": ["自足", "self-contained"],
  "pinned-set": ["依固定集合", "pinned-set"],
  "header-known": ["依已知区块头", "header-known"],
  "no-negative": ["没有失信记录", "no negative record"],
  "no-serious": ["没有严重失信记录", "no serious record"],
  "may-promise": ["可适用告知承诺", "may promise (告知承诺)"],
  enrolled: ["在册", "enrolled"],
  standing: ["信用状况（不作判断）", "the standing, whatever it says"],
  commitment: ["某项承诺处于某状态", "a commitment is in a state"],
  incentive: ["列入某守信激励名单", "recognised in an incentive list"],
  "1h": ["1 小时", "1 hour"],
  "24h": ["24 小时", "24 hours"],
  "168h": ["7 天", "7 days"],
  "720h": ["30 天", "30 days"],
  "any-age": ["不限（事实可能已变）", "any age (the facts may have changed)"],
};

const from = (table: Record<string, Both>) => (key: string, language: Language): string =>
  table[key]?.[language === "zh" ? 0 : 1] ?? key;

export const verdictWord = from(verdicts);
export const codeWord = from(codes);
export const term = from(terms);
