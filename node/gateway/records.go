package gateway

import (
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/xinlian-ledger/xinlian/app"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/consent"
	"github.com/xinlian-ledger/xinlian/x/incentive"
	"github.com/xinlian-ledger/xinlian/x/inspection"
	"github.com/xinlian-ledger/xinlian/x/leniency"
	"github.com/xinlian-ledger/xinlian/x/measure"
	"github.com/xinlian-ledger/xinlian/x/objection"
	"github.com/xinlian-ledger/xinlian/x/repair"
	"github.com/xinlian-ledger/xinlian/x/sanction"
	"github.com/xinlian-ledger/xinlian/x/subject"
)

// newest reads the newest committed height: what members see, who need what they have just written and take this node's word for it.
// The public gets the proven one.
func (c *call) newest(fn func(r x.Reader, as asOf) error) error {
	if c.who == nil {
		return c.proven(fn)
	}
	s := c.g.b.App.Status()
	return c.g.b.App.ReadAt(s.Height, func(r x.Reader) error {
		info, ok := app.BlockInfo(r, s.Height)
		if !ok {
			return fmt.Errorf("the state of height %d does not know its block", s.Height)
		}
		return fn(r, c.g.asOf(info, s.AppVersion, s.BlockTime, false))
	})
}

func (c *call) digest(name string) ([]byte, error) {
	s := c.r.PathValue(name)
	id, err := hex.DecodeString(s)
	if err != nil || len(id) != pb.DigestBytes || hex.EncodeToString(id) != s {
		return nil, refuse(http.StatusBadRequest, ErrID.With("the id in the path is not 64 hexadecimal digits in lower case"))
	}
	return id, nil
}

// record answers about one record: by its id, or a commitment by its code. A record that the reader may not see gets the bytes that an
// unknown id gets.
func (c *call) record() error {
	id := []byte(c.r.PathValue("id"))
	if code.CheckCommitmentCode(c.r.PathValue("id")) != nil {
		var err error
		if id, err = c.digest("id"); err != nil {
			return err
		}
	}
	var v *recordJSON
	err := c.newest(func(r x.Reader, as asOf) error {
		e := &evenly{Reader: r}
		v = showRecord(e, c.who, id)
		if v == nil {
			e.fill(id)
			return refuse(http.StatusNotFound, sanction.ErrUnknown.With("no such record is for this reader")).at(as)
		}
		v.AsOf = &as
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

// file answers about a subject's file: the records that the reader may see, and for auditors the log that shows that these are all.
func (c *call) file() error {
	uscc, err := c.uscc()
	if err != nil {
		return err
	}
	var v *fileJSON
	err = c.newest(func(r x.Reader, as asOf) error {
		s, ok := subject.Get(r, uscc)
		if !ok {
			return refuse(http.StatusNotFound, subject.ErrUnknown.With("the subject is not enrolled; that says nothing about it")).at(as)
		}
		v = c.fileOf(r, s)
		v.AsOf = as
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, v)
}

func (c *call) fileOf(r x.Reader, s *pb.Subject) *fileJSON {
	statuses := []string{pb.SUBJECT_ACTIVE: "active", pb.SUBJECT_DEREGISTERED: "deregistered", pb.SUBJECT_REVOKED: "revoked"}
	v := &fileJSON{
		Subject: s.Uscc, Region: s.Region, Category: s.Category, Status: word(statuses, int32(s.Status)),
		Penalties: []*recordJSON{}, Lists: []*recordJSON{}, Abnormal: []*recordJSON{}, Others: []*recordJSON{}, CourtPlans: []*recordJSON{}, Copies: []*propagationJSON{}, Cases: []*actJSON{}, NoPenalties: []*recordJSON{},
		Commitments: []*recordJSON{}, Repairs: []*recordJSON{}, Measures: []*recordJSON{}, Listings: []*recordJSON{}, Inspections: []*recordJSON{}, Alarms: []*alarmJSON{}, Bars: []*barJSON{},
		Objections: []*recordJSON{}, Incentives: []*recordJSON{}, Keys: []*keyJSON{}, Authorisations: []*recordJSON{},
	}
	// Only what is shown counts against a limit: a cut must not tell of what is not shown.
	sanction.Each(r, s.Uscc, func(d *pb.Dishonesty) bool {
		add(v, v.listOf(d.Kind), showDishonesty(r, c.who, d)) // each kind has its own limit
		return true
	})
	sanction.EachPlan(r, s.Uscc, func(p *pb.CourtPlan) bool { return add(v, &v.CourtPlans, showCourtPlan(c.who, p)) })
	sanction.EachPropagation(r, s.Uscc, func(p *pb.Propagation) bool { return add(v, &v.Copies, showPropagation(r, c.who, p)) })
	sanction.EachCase(r, s.Uscc, func(a *pb.Case) bool { return add(v, &v.Cases, showCase(c.who, a)) })
	leniency.Each(r, s.Uscc, func(n *pb.NoPenalty) bool { return add(v, &v.NoPenalties, showNoPenalty(c.who, n)) })
	if a, ok := sanction.AttentionOf(r, s.Uscc); ok {
		v.Attention = showAttention(c.who, a)
	}
	if a, ok := sanction.LastReconciled(r, s.Uscc); ok {
		v.Reconciliation = showReconciliation(c.who, a)
	}
	commitment.Each(r, s.Uscc, func(m *pb.Commitment) bool { return add(v, &v.Commitments, showCommitment(r, c.who, m)) })
	repair.Each(r, s.Uscc, func(a *pb.Repair) bool { return add(v, &v.Repairs, showRepair(r, c.who, a)) })
	measure.Each(r, s.Uscc, func(m *pb.Measure) bool { return add(v, &v.Measures, showMeasure(r, c.who, m)) })
	sanction.EachListing(r, s.Uscc, func(l *pb.Listing) bool { return add(v, &v.Listings, showListing(r, c.who, l)) })
	inspection.Each(r, s.Uscc, func(i *pb.Inspection) bool { return add(v, &v.Inspections, showInspection(c.who, i)) })
	objection.Each(r, s.Uscc, func(o *pb.Objection) bool { return add(v, &v.Objections, showObjection(r, c.who, o)) })
	incentive.Each(r, s.Uscc, func(i *pb.Incentive) bool { return add(v, &v.Incentives, showIncentive(r, c.who, i)) })
	consent.Each(r, s.Uscc, func(a *pb.Authorisation) bool { return add(v, &v.Authorisations, showAuthorisation(c.who, a)) })
	if g, ok := consent.GradeOf(r, s.Uscc); ok {
		v.Grade = showGrade(c.who, g)
	}
	subject.Keys(r, s.Uscc, func(k *pb.SubjectKey) bool { return add(v, &v.Keys, showKey(c.who, k)) })
	subject.Alarms(r, s.Uscc, func(a *pb.Alarm) bool { return add(v, &v.Alarms, showAlarm(r, c.who, a)) })
	commitment.Bars(r, s.Uscc, func(b *pb.PromiseBar) bool { return add(v, &v.Bars, showBar(c.who, b)) })
	if wholeFile(c.who) {
		head := subject.Head(r, s.Uscc)
		root := head.Root()
		v.File = &logJSON{Size: head.Size, Root: hexOf(root[:]), Entries: []*entryJSON{}}
		subject.Entries(r, s.Uscc, func(seq uint64, e *pb.FileEntry) bool {
			return add(v, &v.File.Entries, &entryJSON{Seq: seq, Height: e.Height, Table: e.Table, Key: hexOf(e.Key), Digest: hexOf(e.Digest)})
		})
	}
	return v
}

// listOf is the list for records of a kind.
func (v *fileJSON) listOf(kind pb.DishonestyKind) *[]*recordJSON {
	switch kind {
	case pb.DISHONESTY_LIST:
		return &v.Lists
	case pb.DISHONESTY_ABNORMAL:
		return &v.Abnormal
	case pb.DISHONESTY_OTHER:
		return &v.Others
	}
	return &v.Penalties
}

// add puts what is shown at the end of a list, and says whether there may be more.
func add[T any](v *fileJSON, list *[]*T, item *T) (more bool) {
	switch {
	case item == nil:
		return true
	case len(*list) == fileMax:
		v.Truncated = true
		return false
	}
	*list = append(*list, item)
	return true
}
