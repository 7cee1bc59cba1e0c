package gateway

import (
	"bytes"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// evenly is a reader behind an answer that must not tell what is hidden from what is unknown (INV-03). The bytes of the two are the same; the work
// was not: an id that nobody knows is looked for in every index, one whose record is hidden is found in one of them and read. Whoever has the number
// of a decision and its firm can make the id, and would have read off the time of a refusal whether there is such a record.
type evenly struct {
	x.Reader
	there, absent int // rows asked for
}

// Rows of a refusal: at least as many as any way to one reads. A test compares the ways.
const (
	evenThere  = 4
	evenAbsent = 16
)

func (e *evenly) Get(key []byte) ([]byte, bool) {
	value, found := e.Reader.Get(key)
	if found {
		e.there++
	} else {
		e.absent++
	}
	return value, found
}

// Iterate counts what a scan gives as well.
func (e *evenly) Iterate(prefix, start []byte, fn func(key, value []byte) (more bool)) {
	e.absent++
	e.Reader.Iterate(prefix, start, func(key, value []byte) bool {
		e.there++
		return fn(key, value)
	})
}

// evenScan is the least number of rows of a scan that passes over what is not shown.
const evenScan = 32

// fillScan asks for rows until they are evenScan, twice that, or twice again. A scan over all that a firm has reads what is shown and what is not: a promise that a
// repair took out of view costs as much as any.
func (e *evenly) fillScan() {
	want := evenScan
	for want < e.there {
		want *= 2
	}
	for e.there < want {
		if _, found := e.Get(app.AnyRow()); !found {
			break
		}
	}
}

// fill asks for rows until they are as many as for every refusal. id is what was asked for: the rows that are not there are looked for at a place as
// arbitrary as its own. Where no row was found, one of the same kind is decoded in its place.
func (e *evenly) fill(id []byte) {
	if e.there == 0 {
		e.standIn(id)
	}
	for e.there < evenThere {
		if _, found := e.Get(app.AnyRow()); !found {
			break
		}
	}
	for n := byte(0); e.absent < evenAbsent; n++ {
		e.Get(x.Key(noTable, id, []byte{n}))
	}
}

// What is hidden is decoded before it is known to be hidden; these are decoded where nothing is. Records differ in size, so that no two cost quite the same; what is left
// is what one firm's penalty costs more than another's.
var (
	likeCommitment = pb.Encode(&pb.Commitment{
		Content: pb.CommitmentContent{
			Code: "41010020261012000001", Subject: likeCode, Acceptor: likeCode, TextDigest: likeDigest[:],
		},
		ReasonDigest: likeDigest[:], Submitter: likeCode,
	})
	likeRecord = pb.Encode(&pb.Dishonesty{
		Id: likeDigest[:], RecordedOn: 1, MinUntil: 1, MaxUntil: 1, ReasonDigest: likeDigest[:], Submitter: likeCode, Verifier: likeCode,
		Penalty: &pb.PenaltyContent{
			Issuer: likeCode, Subject: likeCode, DocNo: "郑样市监罚〔2026〕1001号", Kinds: []uint32{3}, ViolationRegion: "410105", PowerCode: "SC-MARKET", Sector: "market",
			TextDigest: likeDigest[:],
		},
	})
	likeDigest = [pb.DigestBytes]byte{1}
)

const likeCode = "91410100Y000000160"

func (e *evenly) standIn(id []byte) {
	var err error
	if len(id) == pb.DigestBytes {
		err = pb.Decode(bytes.Clone(likeRecord), new(pb.Dishonesty))
	} else {
		err = pb.Decode(bytes.Clone(likeCommitment), new(pb.Commitment))
	}
	if err != nil {
		x.Faultf("the stand-in of a row does not decode: %v", err)
	}
}

// noTable is the first byte of no row.
const noTable = 0xfe
