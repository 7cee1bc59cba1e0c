// Loaded before the tests (node --import) by npm run test-without: the tests then run on a platform that has less than Node has. XINLIAN_WITHOUT names what
// is taken away:
//
//   subtle  what a page lacks that did not come over https: crypto.subtle, and Node's own SHA-256
//   crypto  the whole of crypto as well

const without = process.env["XINLIAN_WITHOUT"];
const set = (on, name, value) => Object.defineProperty(on, name, { value, configurable: true });

switch (without) {
  case "subtle":
    set(globalThis.crypto, "subtle", undefined);
    break;
  case "crypto":
    set(globalThis, "crypto", undefined);
    break;
  default:
    throw new Error(`XINLIAN_WITHOUT=${without}: want subtle or crypto`);
}
set(process, "getBuiltinModule", undefined); // ../src/tree.ts has Node's SHA-256 from there
