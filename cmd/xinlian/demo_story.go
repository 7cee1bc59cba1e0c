package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/xinlian-ledger/xinlian/networks/runner"
	"github.com/xinlian-ledger/xinlian/networks/sample"
	"github.com/xinlian-ledger/xinlian/node/audit"
	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/intake"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/commitment"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// The actors' firms: the sample keeps these free of records, so that the story's own are all there is.
var (
	storyFirm = sample.Reserved()[0] // punished and repaired
	twinFirm  = sample.Reserved()[1] // never had a record
	gongyi    = sample.Reserved()[2] // of S6
	promiser  = sample.Yucai         // of S2
)

// story is what later steps need of earlier ones.
var story struct {
	record  string // the penalty of S3
	code    string // the type-4 commitment of S4
	repair  string
	before  *proof       // of the firm before the record came
	between *proof       // after the repair, before its revocation
	pack    *offlinePack // in which the firm is, of before the repair

	approved calendar.Date
	repaired int64 // the block of it
}

// penalty makes the decision of S3 or S6.
func (d *demo) penalty(issuer, firm, docNo, region string, decided calendar.Date) (pb.Msg, error) {
	c := pb.PenaltyContent{
		Issuer: d.members[issuer].USCC, Subject: firm, DocNo: docNo, Kinds: []uint32{3}, FineFen: 12_000_000,
		DecidedOn: int32(decided), ViolationRegion: region, Procedure: 2, NoticeServedOn: int32(decided.AddDays(-7)), Statement: 1,
		ServedOn: int32(decided), RepairNoticeServed: true, PowerCode: "SC-MARKET", Sector: "market", Severity: pb.SEVERITY_GENERAL,
	}
	var err error
	c.TextDigest, err = d.digest(sanction.PenaltyID(c.Issuer, c.DocNo, c.Subject), "cf_sy", "示例：当事人未按规定明码标价（合成）")
	return pb.Msg{Sum: &pb.Msg_RecordPenalty{RecordPenalty: &pb.RecordPenalty{Content: c}}}, err
}

// publication is scenario S3.
func (d *demo) publication() error {
	var err error
	if story.before, err = d.prove("ops", storyFirm, d.enrolled); err != nil {
		return err
	}
	if err := errors.Join(d.verdict(story.before, storyFirm, "enrolled", 0), d.verdict(story.before, storyFirm, "no-negative", 0)); err != nil {
		return err
	}
	decided := day("2026-07-15")
	m, err := d.penalty("zz-scjg", storyFirm, "郑样市监罚〔2026〕9001号", "410105", decided)
	if err != nil {
		return err
	}
	if _, err := d.reach(day("2026-07-20")); err != nil {
		return err
	}
	rec, err := d.send("zz-scjg", m)
	if err != nil {
		return err
	}
	story.record = rec.record
	d.say("郑州市监 fines %s 120,000 yuan, 一般, decided 2026-07-15; registered (登记) on %s (scenario: 07-20): record %s", storyFirm, rec.on, mark(rec.record))

	if _, err := d.reach(day("2026-07-22")); err != nil {
		return err
	}
	id, _ := hex.DecodeString(rec.record)
	pub, err := d.send("ops", pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: d.members["zz-scjg"].USCC, Record: id}}})
	if err != nil {
		return err
	}
	if err := d.height("zz-scjg", pub.height); err != nil {
		return err
	}
	v, err := d.record("zz-scjg", rec.record)
	if err != nil {
		return err
	}
	p, _ := v["penalty"].(map[string]any)
	for field, want := range map[string]string{
		"state": "published", "class": "general", "publish_by": "2026-07-24", "min_until": "2026-10-15", "max_until": "2027-07-15",
		"recorded_on": rec.on.String(), "published_on": pub.on.String(),
	} {
		if err := d.expect(p[field] == want, "%s is %v, the scenario has %s", field, p[field], want); err != nil {
			return err
		}
	}
	overdue := pub.on > day("2026-07-24")
	if err := d.expect(p["overdue"] == overdue, "published on %s, overdue is %v", pub.on, p["overdue"]); err != nil {
		return err
	}
	d.say("verified by the platform, published (公示中) on %s (scenario: 07-22); publish_by 2026-07-24, repair from 2026-10-15, shown until 2027-07-15", pub.on)
	proof, err := d.prove("js-rsj", storyFirm, pub.height)
	if err != nil {
		return err
	}
	if err := errors.Join(
		d.verdict(proof, storyFirm, "no-negative", 6), d.verdict(proof, storyFirm, "no-serious", 0), d.verdict(proof, storyFirm, "may-promise", 0),
	); err != nil {
		return err
	}
	d.say("a lender's verdicts on bundles of %d bytes: no-negative before 0, now 6; no-serious 0", len(proof.raw))

	return d.tooEarly("XYZG-2026-0000")
}

// tooEarly files an application before 2026-10-15, with whatever commitment.
func (d *demo) tooEarly(no string) error {
	today, err := d.today()
	if err != nil {
		return err
	}
	application, err := d.application(no, commitmentCode("410100", today, 9001))
	if err != nil {
		return err
	}
	why, err := d.refused("ops", "E_MIN_PERIOD", application)
	if err != nil {
		return err
	}
	if err := d.expect(why.PassesOn == "2026-10-15", "the refusal names %s", why.PassesOn); err != nil {
		return err
	}
	d.say("an application for repair on %s is refused: E_MIN_PERIOD, passes on %s", today, why.PassesOn)
	return nil
}

// application is a repair application of the story's firm.
func (d *demo) application(no, promise string) (pb.Msg, error) {
	id, err := hex.DecodeString(story.record)
	if err != nil {
		return pb.Msg{}, err
	}
	materials, err := d.digest([32]byte(id), "materials", "示例：缴款凭证（合成）")
	if err != nil {
		return pb.Msg{}, err
	}
	paper, err := d.digest([32]byte(id), "paper", "示例：信用修复申请书（合成）")
	return pb.Msg{Sum: &pb.Msg_ApplyRepair{ApplyRepair: &pb.ApplyRepair{
		Issuer: d.members["ops"].USCC, Subject: storyFirm, Target: id, ApplicationNo: no, Commitment: promise, DutiesDone: true,
		MaterialsDigest: materials, PaperDigest: paper,
	}}}, err
}

// jurisdiction is scenario S6.
func (d *demo) jurisdiction() error {
	decided := day("2026-07-15")
	there, err := d.penalty("gy-scjg", gongyi, "巩样市监罚〔2026〕9002号", "410185", decided)
	if err != nil {
		return err
	}
	if _, err := d.refused("gy-scjg", "E_JURISDICTION", there); err != nil {
		return err
	}
	here, err := d.penalty("gy-scjg", gongyi, "巩样市监罚〔2026〕9003号", "410181", decided)
	if err != nil {
		return err
	}
	if _, err := d.send("gy-scjg", here); err != nil {
		return err
	}
	d.say("巩义市监 for an act in 登封 (410185): refused E_JURISDICTION; for an act in 巩义 against the same firm: recorded, wherever it is registered")
	return nil
}

// importResult is an import of a sample file.
type importResult struct {
	file string
	sum  client.Summary
	took time.Duration
}

// importSamples takes the sample files in and publishes what was verified.
func (d *demo) importSamples() error {
	for _, f := range []struct {
		name string
		kind intake.Kind
	}{{sample.PenaltiesCSV, intake.Penalties}, {sample.CommitmentsCSV, intake.Commitments}} {
		if err := d.importSample(f.name, f.kind); err != nil {
			return err
		}
	}
	began := time.Now()
	list, err := registered(d.ctx, d.clients["ops"], "")
	if err != nil {
		return err
	}
	// The story's own registered record of S6 stays registered.
	list = slices.DeleteFunc(list, func(c candidate) bool { return c.issuer == d.members["gy-scjg"].USCC })
	out, err := publish(d.ctx, d.clients["ops"], "", list, false)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := d.expect(out.Refused == 0 && out.Published == len(list) && len(list) > 0, "%d of %d records were published, %d refused", out.Published, len(list), out.Refused); err != nil {
		return err
	}
	d.say("the platform publishes %d verified records in %.1f s (%.0f records/s)", out.Published, took.Seconds(), float64(out.Published)/took.Seconds())
	return nil
}

func (d *demo) importSample(name string, kind intake.Kind) error {
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, sample.File(name), 0o600); err != nil {
		return err
	}
	rows, err := intake.Open(path, kind, intake.Options{Vault: d.vault})
	if err != nil {
		return err
	}
	defer rows.Close()
	want := map[int]sample.Expected{}
	for _, e := range sample.Expectations() {
		if e.File == name {
			want[e.Row] = e
		}
	}
	im := &client.Import{Client: d.clients["ops"], Rows: rows, Vault: d.vault, Report: func(l intake.ReportRow) error {
		w, odd := want[l.Row]
		if !odd {
			w = sample.Expected{Outcome: string(intake.Recorded)}
		}
		return d.expect(string(l.Outcome) == w.Outcome && l.Code == w.Code, "%s row %d ended as %s %s, expected is %s %s", name, l.Row, l.Outcome, l.Code, w.Outcome, w.Code)
	}}
	began := time.Now()
	sum, err := im.Run(d.ctx)
	if err != nil {
		return err
	}
	r := importResult{name, sum, time.Since(began)}
	d.rows = append(d.rows, r)
	d.say("%s (%s): %d rows: %d recorded, %d already recorded, %d refused, each as expected.csv has it; %.1f s (%.0f records/s)",
		name, rows.Format(), sum.Rows, sum.Recorded, sum.Already, sum.Refused, r.took.Seconds(), float64(sum.Rows)/r.took.Seconds())
	return nil
}

// promise makes a commitment that its acceptor has taken in.
func (d *demo) promise(acceptor, firm string, kind uint32, no string, made calendar.Date) (pb.Msg, error) {
	c := pb.CommitmentContent{
		Code: no, Subject: firm, Type: kind, MadeOn: int32(made), Acceptor: d.members[acceptor].USCC, Publication: 1,
	}
	var err error
	c.TextDigest, err = d.digest([32]byte(commitment.ID(&c)), "content", "示例：承诺内容（合成）")
	return pb.Msg{Sum: &pb.Msg_SubmitCommitment{SubmitCommitment: &pb.SubmitCommitment{Issuer: c.Acceptor, Content: c, Accepted: true}}}, err
}

// breach is scenario S2: a breach closes 告知承诺 at every agency.
func (d *demo) breach() error {
	made, err := d.today()
	if err != nil {
		return err
	}
	promise := commitmentCode("410105", made, 17)
	m, err := d.promise("js-rsj", promiser, 1, promise, made)
	if err != nil {
		return err
	}
	rec, err := d.send("js-rsj", m)
	if err != nil {
		return err
	}
	proof, err := d.prove("js-rsj", promiser, rec.height)
	if err != nil {
		return err
	}
	if err := errors.Join(d.verdict(proof, promiser, "commitment:"+promise+"=supervised", 0), d.verdict(proof, promiser, "may-promise", 0)); err != nil {
		return err
	}
	d.say("S1: 豫才服务 commits (type 1, 告知承诺) at 金水区人社局: %s, 监管中", promise)

	assessed, err := d.reach(made.AddDays(2))
	if err != nil {
		return err
	}
	key := intake.AssessmentID(d.members["js-rsj"].USCC, promise)
	a := &pb.AssessCommitment{Issuer: d.members["js-rsj"].USCC, Code: promise, Fulfilment: 3, AssessedOn: int32(assessed), NoticeServedOn: int32(made.AddDays(1)), Statement: 1}
	for _, t := range []struct {
		into        *[]byte
		name, words string
	}{
		{&a.UnperformedDigest, "unperformed_content", "示例：承诺的经营场所不存在（合成）"},
		{&a.ActionDigest, "breach_action", "撤销人力资源服务许可（合成）"},
		{&a.EvidenceDigest, "evidence", "双随机检查记录（合成）"},
	} {
		if *t.into, err = d.digest(key, t.name, t.words); err != nil {
			return err
		}
	}
	rec, err = d.send("js-rsj", pb.Msg{Sum: &pb.Msg_AssessCommitment{AssessCommitment: a}})
	if err != nil {
		return err
	}
	// Another agency, another item, both barred types.
	for i, kind := range []uint32{1, 3} {
		again, err := d.promise("zz-scjg", promiser, kind, commitmentCode("410100", assessed, 9100+i), assessed)
		if err != nil {
			return err
		}
		if _, err := d.refused("zz-scjg", "E_PROMISE_BAR", again); err != nil {
			return err
		}
	}
	if proof, err = d.prove("gy-scjg", promiser, rec.height); err != nil {
		return err
	}
	if err := errors.Join(
		d.verdict(proof, promiser, "commitment:"+promise+"=breached", 0), d.verdict(proof, promiser, "may-promise", 6), d.verdict(proof, promiser, "no-negative", 0),
	); err != nil {
		return err
	}
	d.say("S2: found wholly unperformed on %s: 违诺; types 1 and 3 at 郑州市监 are refused E_PROMISE_BAR; may-promise 6, no-negative 0 (a breach is no penalty)", rec.on)
	return nil
}

// repair is scenario S4.
func (d *demo) repair() error {
	early, err := d.reach(day("2026-10-12"))
	if err != nil {
		return err
	}
	if early < day("2026-10-14") { // else the machine was slower than the clock; S3 has shown it
		if err := d.tooEarly("XYZG-2026-0001"); err != nil {
			return err
		}
	}
	// Made the day before, so that it is public when the application comes.
	made, err := d.reach(day("2026-10-18"))
	if err != nil {
		return err
	}
	story.code = commitmentCode("410100", made, 9002)
	m, err := d.promise("zz-scjg", storyFirm, 4, story.code, made)
	if err != nil {
		return err
	}
	rec, err := d.send("zz-scjg", m)
	if err != nil {
		return err
	}
	if err := d.height("ops", rec.height+1); err != nil { // proven: the public may see it
		return err
	}
	if _, err := d.clients["ops"].Commitment(d.ctx, story.code); err != nil {
		return d.expect(false, "the public cannot look %s up: %v", story.code, err)
	}
	if m, err = d.application("XYZG-2026-0002", story.code); err != nil {
		return err
	}
	if _, err := d.reach(day("2026-10-19")); err != nil {
		return err
	}
	applied, err := d.send("ops", m)
	if err != nil {
		return err
	}
	story.repair = applied.record
	id, err := hex.DecodeString(applied.record)
	if err != nil {
		return err
	}
	d.say("type-4 commitment %s is public; 信用中国 files the application on %s (scenario: 10-19): %s", story.code, applied.on, mark(applied.record))

	issuer := d.members["zz-scjg"].USCC
	if _, err := d.reach(applied.on.AddDays(2)); err != nil {
		return err
	}
	accepted, err := d.send("zz-scjg", pb.Msg{Sum: &pb.Msg_AcceptRepair{AcceptRepair: &pb.AcceptRepair{Issuer: issuer, Repair: id}}})
	if err != nil {
		return err
	}
	if _, err := d.reach(accepted.on.AddDays(6)); err != nil {
		return err
	}
	old, err := d.prove("ops", storyFirm, accepted.height)
	if err != nil {
		return err
	}
	if err := errors.Join(d.verdict(old, storyFirm, "no-negative", 6), d.verdict(old, storyFirm, "commitment:"+story.code+"=supervised", 0)); err != nil {
		return err
	}
	if story.pack, err = d.fetchPack("ops", "negative", attest.NoNegative, nil, accepted.height); err != nil {
		return err
	}
	approved, err := d.send("zz-scjg", pb.Msg{Sum: &pb.Msg_ApproveRepair{ApproveRepair: &pb.ApproveRepair{Issuer: issuer, Repair: id, DutiesVerified: true, DecisionNo: "ZZXF-2026-9001"}}})
	if err != nil {
		return err
	}
	story.approved, story.repaired = approved.on, approved.height
	d.say("accepted on %s (scenario: 10-21), approved on %s (scenario: 10-27): in force in that block, %d", accepted.on, approved.on, approved.height)
	if story.between, err = d.prove("gy-scjg", storyFirm, approved.height); err != nil {
		return err
	}
	if err := errors.Join(
		d.verdict(story.between, storyFirm, "no-negative", 0), d.verdict(story.between, storyFirm, "commitment:"+story.code+"=supervised", 6),
		d.expect(sameStanding(story.before, story.between), "the standing after the repair differs from that before the record"),
	); err != nil {
		return err
	}
	if err := d.noTrace(approved.height); err != nil {
		return err
	}
	d.say("verdict no-negative: before the repair 6, after it 0; standing and salt have the very bytes from before the record came (%d bytes); the commitment's route answers as for an unknown code", len(story.between.standing))
	target, err := hex.DecodeString(story.record)
	if err != nil {
		return err
	}
	return d.copies(target)
}

// noTrace compares what the public and other agencies get after the repair with what they get of a firm that never had a record.
func (d *demo) noTrace(height int64) error {
	if err := d.height("ops", height+1); err != nil {
		return err
	}
	ops := d.clients["ops"]
	_, gone := ops.Commitment(d.ctx, story.code)
	_, never := ops.Commitment(d.ctx, commitmentCode("410100", day("2026-10-19"), 999999))
	if err := d.expect(gone != nil && never != nil && gone.Error() == never.Error(), "a code out of view answers %q, an unknown one %q", gone, never); err != nil {
		return err
	}
	if _, err := d.record("ops", story.record); client.CodeOf(err) != "E_RECORD_UNKNOWN" {
		return d.expect(false, "the platform still sees the repaired record (%v)", err)
	}
	mine, err := d.prove("ops", storyFirm, height)
	if err != nil {
		return err
	}
	twin, err := d.prove("ops", twinFirm, height)
	if err != nil {
		return err
	}
	a, err := standingOf(mine)
	if err != nil {
		return err
	}
	b, err := standingOf(twin)
	if err != nil {
		return err
	}
	a.Subject, a.Restricted, b.Subject, b.Restricted = "", nil, "", nil
	if err := d.expect(bytes.Equal(pb.Encode(a), pb.Encode(b)), "the firm's standing differs from its twin's in more than identity"); err != nil {
		return err
	}
	v, err := d.record("zz-scjg", story.record)
	if err != nil {
		return err
	}
	p, _ := v["penalty"].(map[string]any)
	return d.expect(p["state"] == "repaired", "the recogniser sees the record as %v", p["state"])
}

// falseRepair is scenario S5.
func (d *demo) falseRepair() error {
	id, err := hex.DecodeString(story.repair)
	if err != nil {
		return err
	}
	reason, err := d.digest([32]byte(id), "reason", "示例：缴款凭证系伪造（合成）")
	if err != nil {
		return err
	}
	notice := max(day("2026-11-09"), story.approved.AddDays(1))
	if _, err := d.reach(notice.AddDays(7)); err != nil {
		return err
	}
	revoked, err := d.send("zz-scjg", pb.Msg{Sum: &pb.Msg_RevokeRepair{RevokeRepair: &pb.RevokeRepair{
		Issuer: d.members["zz-scjg"].USCC, Repair: id, ReasonDigest: reason, NoticeServedOn: int32(notice), Statement: 1, Deceit: pb.DECEIT_MATERIALS,
	}}})
	if err != nil {
		return err
	}
	now, err := d.prove("ops", storyFirm, revoked.height)
	if err != nil {
		return err
	}
	s, err := standingOf(now)
	if err != nil {
		return err
	}
	back := len(s.Penalties) == 1 && hex.EncodeToString(s.Penalties[0].Record) == story.record && calendar.Date(s.Penalties[0].MaxUntil) == day("2027-07-15")
	if err := errors.Join(
		d.expect(back, "the record is not back with its own last day"), d.verdict(now, storyFirm, "no-negative", 6),
		// What a lender got in between stays true of its height.
		d.verdict(story.between, storyFirm, "no-negative", 0),
	); err != nil {
		return err
	}
	application, err := d.application("XYZG-2026-0003", story.code)
	if err != nil {
		return err
	}
	why, err := d.refused("ops", "E_REPAIR_BAR", application)
	if err != nil {
		return err
	}
	d.say("the receipt was forged: revoked on %s (scenario: 11-16); the record is 公示中 again until 2027-07-15; a new application: E_REPAIR_BAR, passes on %s", revoked.on, why.PassesOn)
	d.say("a bundle from between the two still verifies, as true of its height %d", story.between.height)
	return nil
}

// lender is scenario S9, and what a lender must be able to rely on.
func (d *demo) lender() error {
	absent := code.CompleteUSCC("91410100", "Y0099990")
	p, err := d.prove("ops", absent, d.enrolled)
	if err != nil {
		return err
	}
	if err := errors.Join(
		d.expect(p.standing == nil, "a firm that is not enrolled has a standing"),
		d.verdict(p, absent, "enrolled", 6), d.verdict(p, absent, "no-negative", 0),
	); err != nil {
		return err
	}
	now, err := d.prove("zz-scjg", storyFirm, d.enrolled)
	if err != nil {
		return err
	}
	// Another subject's bundle, a changed byte, another chain's trust file.
	if err := d.verdict(now, twinFirm, "no-negative", 1); err != nil {
		return err
	}
	for _, at := range []int{len(now.raw) / 3, len(now.raw) / 2, len(now.raw) - 1} {
		forged := *now
		forged.raw = slices.Clone(now.raw)
		forged.raw[at] ^= 1
		if err := d.verdict(&forged, storyFirm, "standing", 1); err != nil {
			return err
		}
	}
	other := *d.trust
	other.ChainID = "demo-other"
	_, err = attest.Verify(now.raw, &other, attest.Policy{Subject: storyFirm, Claim: attest.Standing, MaxAge: time.Hour, Now: time.Now()})
	if err := d.expect(attest.ExitCode(nil, err) == 1, "the trust file of another chain gives %v", err); err != nil {
		return err
	}
	// Many firms: what one verification costs once the block is known, and before.
	claim, err := attest.ParseClaim("no-negative")
	if err != nil {
		return err
	}
	known, err := attest.NewVerifier(d.trust)
	if err != nil {
		return err
	}
	var cold, warm []time.Duration
	negative := 0
	for _, s := range sample.Subjects()[:200] {
		p, err := d.prove("ops", s.Row.Uscc, d.enrolled)
		if err != nil {
			return err
		}
		policy := attest.Policy{Subject: s.Row.Uscc, Claim: claim, MaxAge: time.Hour, Now: time.Now()}
		fresh, err := attest.NewVerifier(d.trust)
		if err != nil {
			return err
		}
		began := time.Now()
		v, err := fresh.Verify(p.raw, policy)
		cold = append(cold, time.Since(began))
		if exit := attest.ExitCode(v, err); exit != 0 && exit != 6 {
			return d.expect(false, "the bundle of %s gives exit code %d: %v", s.Row.Uscc, exit, err)
		}
		if !v.Holds {
			negative++
		}
		if _, err := known.Verify(p.raw, policy); err != nil {
			return err
		}
		began = time.Now()
		if _, err := known.Verify(p.raw, policy); err != nil {
			return err
		}
		warm = append(warm, time.Since(began))
		d.expects++
	}
	d.verify = append(d.verify, cold...)
	d.say("200 firms verified offline: %d without a published negative record, %d with; median %s a bundle with nothing known, %s with its block known",
		len(cold)-negative, negative, median(cold), median(warm))
	d.say("absence is proven for %s; a bundle of another firm, of another chain, and one with a changed byte are refused", absent)
	return nil
}

// agreement compares the app hashes of all nodes.
func (d *demo) agreement() error {
	s, err := runner.Inspect(d.ctx, d.dir)
	if err != nil {
		return err
	}
	ready := 0
	for _, n := range s.Nodes {
		if n.Ready {
			ready++
		}
	}
	if err := d.expect(s.Agree && len(s.Nodes) == 4 && ready == 4, "the nodes do not agree at height %d, or only %d of 4 are ready", s.Common, ready); err != nil {
		return err
	}
	var h struct {
		After string `json:"app_hash_after"`
	}
	if err := d.clients["ops"].Get(d.ctx, fmt.Sprintf("/v1/headers/%d", s.Common), false, &h); err != nil {
		return err
	}
	d.say("all four have app hash %s at height %d", h.After, s.Common)
	return nil
}

// audit replays the chain: over a stopped node's folder, or over a gateway where the network goes on.
func (d *demo) audit(keep bool) (err error) {
	var src audit.Source
	where := "the folder of node 1"
	if keep {
		where = "the gateway of node 1, with the auditor's key"
		k, _, err := d.net.Key("auditor")
		if err != nil {
			return err
		}
		if src, err = audit.OpenNode(d.ctx, d.net.Nodes[0].API, k); err != nil {
			return err
		}
	} else {
		if _, err := runner.Down(d.dir); err != nil {
			return err
		}
		if src, err = audit.OpenHome(d.net.Nodes[0].Home); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	r, err := audit.Replay(d.ctx, src, audit.Options{})
	if err != nil {
		return err
	}
	if r.Difference != nil {
		return d.expect(false, "%v", r.Difference)
	}
	if err := d.expect(r.Agrees && r.Blocks > 0, "the replay agrees on nothing"); err != nil {
		return err
	}
	d.say("replayed from %s: %d blocks, %d transactions, %d messages, %d commit signatures, %d rows of state compared; all agree; %.1f s (%.0f blocks/s)",
		where, r.Blocks, r.Transactions, r.Messages, r.Signatures, r.StateRows, r.Seconds, float64(r.Blocks)/max(r.Seconds, 1e-9))
	d.say("app hash %s after height %d", r.AppHash, r.To)
	return nil
}

func (d *demo) summary() {
	rows, took := 0, time.Duration(0)
	for _, r := range d.rows {
		rows += r.sum.Rows
		took += r.took
	}
	fmt.Fprintf(d.out, "\ndone in %.1f s: %d outcomes as expected; %d rows imported at %.0f records/s; %d bundles verified, median %s\n",
		time.Since(d.began).Seconds(), d.expects, rows, float64(rows)/max(took.Seconds(), 1e-9), len(d.verify), median(d.verify))
}

func standingOf(p *proof) (*pb.Standing, error) {
	s := new(pb.Standing)
	if err := pb.Decode(p.standing, s); err != nil {
		return nil, fmt.Errorf("the standing does not decode: %w", err)
	}
	return s, nil
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2].Round(time.Microsecond)
}
