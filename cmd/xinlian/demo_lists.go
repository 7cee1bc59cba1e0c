package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/xinlian-ledger/xinlian/networks/sample"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/sanction"
)

// absent is a firm that cannot be found at its registered address.
var absent = sample.Reserved()[3]

// words keeps a text of a record in the vault and gives its digest. The first that fails ends the scene: err sticks.
func (d *demo) words(err *error, record []byte, name, text string) []byte {
	if *err != nil {
		return nil
	}
	var digest []byte
	digest, *err = d.digest([32]byte(record), name, text)
	return digest
}

// publishOne publishes a record as the platform, and gives a proof of its subject.
func (d *demo) publishOne(issuer, record, firm string) (*proof, error) {
	id, err := hex.DecodeString(record)
	if err != nil {
		return nil, err
	}
	out, err := d.send("ops", pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: d.members[issuer].USCC, Record: id}}})
	if err != nil {
		return nil, err
	}
	return d.prove("gy-scjg", firm, out.height)
}

// listed is scenario S7: an entry in a list of serious dishonesty, with its procedure.
func (d *demo) listed() error {
	issuer := d.members["gy-scjg"].USCC
	served, err := d.today()
	if err != nil {
		return err
	}
	n := pb.ListingNotice{
		Issuer: issuer, Subject: gongyi, List: "SC", NoticeNo: "巩样市监列告〔2026〕9001号", ServedOn: int32(served), Measures: []string{"M07", "M08"}, RightsTold: true,
	}
	listing := sanction.ListingID(&n)
	n.TextDigest = d.words(&err, listing[:], "fact", "示例：拟列入事由和依据（合成）")
	waiver := d.words(&err, listing[:], "paper", "示例：放弃陈述申辩声明（合成）")
	consent := d.words(&err, listing[:], "document", "示例：同意列入的批复（合成）")
	if err != nil {
		return err
	}
	if _, err := d.send("gy-scjg", pb.Msg{Sum: &pb.Msg_NotifyListing{NotifyListing: &pb.NotifyListing{Notice: n}}}); err != nil {
		return err
	}
	stated, err := d.send("gy-scjg", pb.Msg{Sum: &pb.Msg_StateListing{StateListing: &pb.StateListing{Issuer: issuer, Listing: listing[:], Statement: 2, PaperDigest: waiver}}})
	if err != nil {
		return err
	}
	basis := sanction.PenaltyID(issuer, "巩样市监罚〔2026〕9003号", gongyi)
	decide := func() (pb.Msg, error) {
		decided, err := d.reach(stated.on.AddDays(1))
		c := pb.ListContent{
			Issuer: issuer, Subject: gongyi, DocNo: "巩样市监列〔2026〕9001号", List: "SC", DecidedOn: int32(decided), ServedOn: int32(decided), RepairNoticeServed: true,
			ViolationRegion: "410181", PowerCode: "SC-MARKET", Measures: n.Measures, Basis: [][]byte{basis[:]}, Listing: listing[:],
		}
		id := sanction.ID(pb.DISHONESTY_LIST, c.Issuer, c.DocNo, c.Subject)
		c.ConditionsDigest = d.words(&err, id[:], "conditions", "示例：移出条件和救济途径（合成）")
		c.TextDigest = d.words(&err, id[:], "fact", "示例：列入事由和依据（合成）")
		return pb.Msg{Sum: &pb.Msg_DecideListing{DecideListing: &pb.DecideListing{Content: c}}}, err
	}
	early, err := decide()
	if err != nil {
		return err
	}
	if _, err := d.refused("gy-scjg", "E_UPPER_CONSENT", early); err != nil {
		return err
	}
	agreed, err := d.send("zz-scjg", pb.Msg{Sum: &pb.Msg_ConsentListing{ConsentListing: &pb.ConsentListing{Issuer: d.members["zz-scjg"].USCC, Listing: listing[:], DocumentDigest: consent}}})
	if err != nil {
		return err
	}
	if _, err := d.reach(agreed.on); err != nil {
		return err
	}
	late, err := decide()
	if err != nil {
		return err
	}
	entry, err := d.send("gy-scjg", late)
	if err != nil {
		return err
	}
	before, err := d.prove("ops", gongyi, entry.height)
	if err != nil {
		return err
	}
	now, err := d.publishOne("gy-scjg", entry.record, gongyi)
	if err != nil {
		return err
	}
	s, err := standingOf(now)
	if err != nil {
		return err
	}
	if err := errors.Join(
		d.verdict(before, gongyi, "no-serious", 0), d.verdict(now, gongyi, "no-serious", 6), d.verdict(now, gongyi, "may-promise", 6),
		d.expect(len(s.Lists) == 1, "the standing has %d list entries", len(s.Lists)),
	); err != nil {
		return err
	}
	d.say("巩义市监 enters a firm in the list of serious dishonesty (notice, waiver): E_UPPER_CONSENT until 郑州市监 consents; decided on %s, 公示中: no-serious 6, may-promise 6", entry.on)
	return nil
}

// abnormal is an entry in the list of abnormal operation that is objected to, and that 信用中国 shows no more (INV-34, INV-42).
func (d *demo) abnormal() error {
	issuer := d.members["zz-scjg"].USCC
	before, err := d.prove("ops", absent, d.enrolled)
	if err != nil {
		return err
	}
	listedOn, err := d.today()
	if err != nil {
		return err
	}
	c := pb.AbnormalContent{
		Issuer: issuer, Subject: absent, DocNo: "郑样市监异列〔2026〕9001号", Reason: "ADDRESS", ListedOn: int32(listedOn), ServedOn: int32(listedOn), RepairNoticeServed: true,
		ViolationRegion: "410105", PowerCode: "SC-MARKET", Sector: "market",
	}
	id := sanction.ID(pb.DISHONESTY_ABNORMAL, c.Issuer, c.DocNo, c.Subject)
	c.TextDigest = d.words(&err, id[:], "fact", "示例：通过登记的住所无法联系（合成）")
	grounds := d.words(&err, id[:], "grounds", "示例：住所登记无误（合成）")
	paper := d.words(&err, id[:], "paper", "示例：异议申请书（合成）")
	reason := d.words(&err, id[:], "reason", "示例：经核查，列入无误（合成）")
	if err != nil {
		return err
	}
	entry, err := d.send("zz-scjg", pb.Msg{Sum: &pb.Msg_RecordAbnormal{RecordAbnormal: &pb.RecordAbnormal{Content: c}}})
	if err != nil {
		return err
	}
	now, err := d.publishOne("zz-scjg", entry.record, absent)
	if err != nil {
		return err
	}
	if err := errors.Join(d.verdict(now, absent, "no-negative", 6), d.verdict(now, absent, "no-serious", 0), d.marked(now, false)); err != nil {
		return err
	}

	agent := d.members["ops"].USCC
	filed, err := d.send("ops", pb.Msg{Sum: &pb.Msg_FileObjection{FileObjection: &pb.FileObjection{
		Issuer: agent, Subject: absent, Kind: pb.OBJECTION_RECORD, Target: id[:], ObjectionNo: "YY-2026-9001", GroundsDigest: grounds, PaperDigest: paper,
	}}})
	if err != nil {
		return err
	}
	if now, err = d.prove("gy-scjg", absent, filed.height); err != nil {
		return err
	}
	if err := d.marked(now, true); err != nil {
		return err
	}
	objection, err := hex.DecodeString(filed.record)
	if err != nil {
		return err
	}
	resolved, err := d.send("ops", pb.Msg{Sum: &pb.Msg_ResolveObjection{ResolveObjection: &pb.ResolveObjection{
		Issuer: agent, Objection: objection, Result: pb.OBJECTION_UPHELD, ReasonDigest: reason,
	}}})
	if err != nil {
		return err
	}
	if now, err = d.prove("gy-scjg", absent, resolved.height); err != nil {
		return err
	}
	if err := d.marked(now, false); err != nil {
		return err
	}
	d.say("郑州市监 enters a firm in the list of abnormal operation (异常名录): no-negative 6, no-serious 0; its objection marks the entry (异议) until it is resolved")

	return d.dropped(before, resolved.on)
}

// marked holds whether the one entry of a standing carries the mark of an objection.
func (d *demo) marked(p *proof, want bool) error {
	s, err := standingOf(p)
	if err != nil {
		return err
	}
	return d.expect(len(s.Abnormal) == 1 && s.Abnormal[0].Objection == want, "the standing has %d entries, and the mark is not %v", len(s.Abnormal), want)
}

// dropped brings a list of 信用中国 that shows nothing of the firm: the ledger holds the entry back in the same block and asks its recogniser.
func (d *demo) dropped(before *proof, since calendar.Date) error {
	asOf, err := d.reach(since.AddDays(1)) // the entry was published before that day
	if err != nil {
		return err
	}
	list, err := d.send("ops", pb.Msg{Sum: &pb.Msg_Reconcile{Reconcile: &pb.Reconcile{Issuer: d.members["ops"].USCC, Subject: absent, AsOf: int32(asOf)}}})
	if err != nil {
		return err
	}
	held, err := d.prove("js-rsj", absent, list.height)
	if err != nil {
		return err
	}
	if err := d.height("zz-scjg", list.height); err != nil {
		return err
	}
	raw, err := d.clients["zz-scjg"].Duties(d.ctx, "", "", 1000)
	if err != nil {
		return err
	}
	var todo struct {
		Duties []struct{ Kind, Subject string } `json:"duties"`
	}
	if err := json.Unmarshal(raw, &todo); err != nil {
		return err
	}
	asked := false
	for _, duty := range todo.Duties {
		asked = asked || duty.Kind == "answer_hold" && duty.Subject == absent
	}
	if err := errors.Join(
		d.verdict(held, absent, "no-negative", 0), d.expect(sameStanding(before, held), "the standing is not what it was before the entry"),
		d.expect(asked, "nobody asks the recogniser why 信用中国 does not show the entry"),
	); err != nil {
		return err
	}
	d.say("信用中国 shows the entry no more: held back in that block, the standing has the very bytes from before it; 郑州市监 finds 核对公示差异 among its duties")
	return nil
}

// copies has the platform confirm that it let go of the repaired record (INV-37).
func (d *demo) copies(record []byte) error {
	ack, err := d.send("ops", pb.Msg{Sum: &pb.Msg_Acknowledge{Acknowledge: &pb.Acknowledge{Issuer: d.members["ops"].USCC, Record: record}}})
	if err != nil {
		return err
	}
	if err := d.height("zz-scjg", ack.height); err != nil {
		return err
	}
	raw, err := d.clients["zz-scjg"].File(d.ctx, storyFirm)
	if err != nil {
		return err
	}
	var file struct {
		Copies []struct {
			Synced bool `json:"synced"`
		} `json:"copies"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return err
	}
	if err := d.expect(len(file.Copies) == 1 && file.Copies[0].Synced, "the recogniser finds %v of the copies", file.Copies); err != nil {
		return err
	}
	d.say("the platform, which keeps a copy, confirms on %s that it has let go of it: 已同步", ack.on)
	return nil
}
