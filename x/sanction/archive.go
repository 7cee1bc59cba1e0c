package sanction

import (
	"fmt"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
)

// Archive is P13, by timer: a record that has ended goes to the archive (归档). Who may see it stays the same but for those with a statutory need.
func Archive(ctx *x.Ctx, id []byte) {
	d := timed(ctx, id, pb.RECORD_REPAIRED, pb.RECORD_EXPIRED, pb.RECORD_WITHDRAWN, pb.RECORD_CORRECTED)
	d.State, d.ArchivedAs = pb.RECORD_ARCHIVED, d.State
	put(ctx, d)
}

// CheckDestroy refuses what Destroy would refuse.
func CheckDestroy(r x.Reader, m *pb.DestroyRecord) error {
	if err := x.CheckDigest(m.Record, "record", false); err != nil {
		return err
	}
	d, ok := Get(r, m.Record)
	switch {
	case !ok:
		return ErrUnknown.With("no record has id %x", m.Record)
	case d.State != pb.RECORD_ARCHIVED:
		return ErrState.With("the record is %s: what is destroyed comes from the archive", d.State)
	case d.Objections > 0: // its result tells what became of the record
		return ErrState.With("an objection (异议) to the record waits for its result")
	}
	return nil
}

// Destroy is P14, by governance: of an archived record all goes but whose it was (密钥销毁). Its text in the vault of the agency is destroyed there.
// The file of the subject keeps digests of what stood, the blocks keep the messages until they are pruned.
func Destroy(ctx *x.Ctx, m *pb.DestroyRecord) error {
	if err := CheckDestroy(ctx, m); err != nil {
		return err
	}
	d, _ := Get(ctx, m.Record)
	f := Of(d)
	put(ctx, &pb.Dishonesty{
		Id: d.Id, Kind: d.Kind, State: pb.RECORD_DESTROYED, ArchivedAs: d.ArchivedAs, ArchiveOn: d.ArchiveOn,
		Destroyed: &pb.DestroyedContent{Issuer: f.Issuer, Subject: f.Subject},
	})
	return nil
}

// checkDestroyed holds that nothing is left of a destroyed record.
func checkDestroyed(d *pb.Dishonesty) error {
	rest := *d
	rest.Id, rest.Kind, rest.State, rest.ArchivedAs, rest.ArchiveOn, rest.Destroyed = nil, 0, 0, 0, 0, nil
	if d.Destroyed == nil || rest.Size() != 0 {
		return fmt.Errorf("INV-19: record %x was destroyed, and something of it stands", d.Id)
	}
	return nil
}
