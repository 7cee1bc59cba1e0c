// What validators hash and sign: header, validator set and vote, as the engine encodes them.

import { concat, textBytes } from "./bytes.js";
import { type Commit, type Header, keyAt, second, type ValidatorSet } from "./bundle.js";
import { logLeaf, logRoot } from "./tree.js";
import { bytesField, fixedField, messageField, numberField, uvarint } from "./wire.js";

/** headerHash is the block hash (区块哈希): the RFC 6962 root over the fourteen fields of a header. An empty field is an empty leaf. */
export function headerHash(h: Header): Uint8Array {
  const fields = [
    concat(numberField(1, h.blockVersion), numberField(2, h.appVersion)),
    bytesField(1, textBytes(h.chainId)),
    numberField(1, h.height),
    timeFields(h.timeSeconds, BigInt(h.timeNanos)),
    blockId(h.lastBlockHash, h.lastPartsTotal, h.lastPartsHash),
    bytesField(1, h.lastCommitHash),
    bytesField(1, h.dataHash),
    bytesField(1, h.validatorsHash),
    bytesField(1, h.nextValidatorsHash),
    bytesField(1, h.consensusHash),
    bytesField(1, h.appHash),
    bytesField(1, h.lastResultsHash),
    bytesField(1, h.evidenceHash),
    bytesField(1, h.proposer),
  ];
  return logRoot(fields.map(logLeaf));
}

/** setHash is the hash by which a header names a validator set: the RFC 6962 root over key and power of each, in order. */
export function setHash(s: ValidatorSet): Uint8Array {
  return logRoot(s.powers.map((p, i) => logLeaf(concat(messageField(1, bytesField(1, keyAt(s, i))), numberField(2, p)))));
}

/** voteBytes is what a validator signs to precommit a block: the engine's canonical vote, led by its length. time in nanoseconds. */
export function voteBytes(h: Header, hash: Uint8Array, c: Commit, time: bigint): Uint8Array {
  const vote = concat(
    numberField(1, 2n), // precommit
    fixedField(2, h.height),
    fixedField(3, BigInt(c.round)),
    messageField(4, blockId(hash, c.partsTotal, c.partsHash)),
    messageField(5, timeFields(time / second, time % second)),
    bytesField(6, textBytes(h.chainId)),
  );
  return concat(uvarint(BigInt(vote.length)), vote);
}

function timeFields(seconds: bigint, nanos: bigint): Uint8Array {
  return concat(numberField(1, seconds), numberField(2, nanos));
}

function blockId(hash: Uint8Array, partsTotal: number, partsHash: Uint8Array): Uint8Array {
  const parts = concat(numberField(1, BigInt(partsTotal)), bytesField(2, partsHash));
  return concat(bytesField(1, hash), messageField(2, parts));
}
