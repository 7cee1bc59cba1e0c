package attest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// The views below are JSON for people and programs to read. None of them proves anything and no verifier reads one back.

// StandingJSON is the view of a standing.
type StandingJSON struct {
	Subject         string           `json:"subject"`
	Region          string           `json:"region"`
	Category        uint32           `json:"category"`
	Status          string           `json:"status"`
	MayPromise      bool             `json:"may_promise"`
	Counts          CountsJSON       `json:"counts"`
	Commitments     []CommitmentJSON `json:"commitments"`
	CommitmentsRoot string           `json:"commitments_root,omitempty"`
	Penalties       []PenaltyJSON    `json:"penalties"`
	PenaltiesRoot   string           `json:"penalties_root,omitempty"`
	Lists           []ListJSON       `json:"lists"`
	ListsRoot       string           `json:"lists_root,omitempty"`
	Abnormal        []AbnormalJSON   `json:"abnormal"`
	AbnormalRoot    string           `json:"abnormal_root,omitempty"`
	Others          []OtherJSON      `json:"others"`
	OthersRoot      string           `json:"others_root,omitempty"`
	Incentives      []IncentiveJSON  `json:"incentives"`
	IncentivesRoot  string           `json:"incentives_root,omitempty"`
	Restricted      string           `json:"restricted"`
}

// CountsJSON is part of StandingJSON.
type CountsJSON struct {
	Commitments uint32 `json:"commitments"`
	Breached    uint32 `json:"breached"`
	Penalties   uint32 `json:"penalties"`
	Minor       uint32 `json:"minor"`
	General     uint32 `json:"general"`
	Serious     uint32 `json:"serious"`
	Lists       uint32 `json:"lists"`
	Abnormal    uint32 `json:"abnormal"`
	Others      uint32 `json:"others"`
	Incentives  uint32 `json:"incentives"`
	Noticed     uint32 `json:"noticed"` // incentives under public notice
}

// CommitmentJSON is the view of a public commitment.
type CommitmentJSON struct {
	Code       string  `json:"code"`
	Type       uint32  `json:"type"`
	State      string  `json:"state"`
	MadeOn     *string `json:"made_on"`
	ValidUntil *string `json:"valid_until"`
	Acceptor   string  `json:"acceptor"`
	Objection  bool    `json:"objection"`
}

// PenaltyJSON is the view of a published penalty.
type PenaltyJSON struct {
	Record    string   `json:"record"`
	DocNo     string   `json:"doc_no"`
	Issuer    string   `json:"issuer"`
	Class     string   `json:"class"`
	Kinds     []uint32 `json:"kinds"`
	DecidedOn *string  `json:"decided_on"`
	MinUntil  *string  `json:"min_until"`
	MaxUntil  *string  `json:"max_until"`
	Final     bool     `json:"final"`
	Objection bool     `json:"objection"`
}

// ListJSON is the view of an entry in a list of serious dishonesty.
type ListJSON struct {
	Record    string  `json:"record"`
	List      string  `json:"list"`
	DocNo     string  `json:"doc_no"`
	Issuer    string  `json:"issuer"`
	DecidedOn *string `json:"decided_on"`
	MinUntil  *string `json:"min_until"` // first day on which early removal may be applied for
	MaxUntil  *string `json:"max_until"`
	Final     bool    `json:"final"`
	Objection bool    `json:"objection"`
}

// AbnormalJSON is the view of an entry in a list of abnormal operation.
type AbnormalJSON struct {
	Record    string  `json:"record"`
	Reason    string  `json:"reason"`
	Issuer    string  `json:"issuer"`
	ListedOn  *string `json:"listed_on"`
	Objection bool    `json:"objection"`
}

// OtherJSON is the view of a published record of other dishonesty.
type OtherJSON struct {
	Record    string  `json:"record"`
	Source    string  `json:"source"`
	DocNo     string  `json:"doc_no"`
	Issuer    string  `json:"issuer"`
	Class     string  `json:"class"`
	DecidedOn *string `json:"decided_on"`
	MinUntil  *string `json:"min_until"`
	MaxUntil  *string `json:"max_until"`
	Final     bool    `json:"final"`
	Objection bool    `json:"objection"`
}

// IncentiveJSON is the view of an incentive under public notice or in force.
type IncentiveJSON struct {
	Record      string  `json:"record"`
	List        string  `json:"list"`
	Issuer      string  `json:"issuer"`
	State       string  `json:"state"`        // noticed, checked, recognised
	NoticeUntil *string `json:"notice_until"` // last day on which anybody may object
	DecidedOn   *string `json:"decided_on"`
	ValidUntil  *string `json:"valid_until"`
	Objection   bool    `json:"objection"`
}

var (
	incentiveNames = []string{
		pb.INCENTIVE_PROPOSED: "proposed", pb.INCENTIVE_NOTICED: "noticed", pb.INCENTIVE_CHECKED: "checked", pb.INCENTIVE_RECOGNISED: "recognised",
	}
	statusNames   = []string{pb.SUBJECT_ACTIVE: "active", pb.SUBJECT_DEREGISTERED: "deregistered", pb.SUBJECT_REVOKED: "revoked"}
	severityNames = []string{pb.SEVERITY_MINOR: "minor", pb.SEVERITY_GENERAL: "general", pb.SEVERITY_SERIOUS: "serious"}
)

// StandingView gives the view of a standing, null for none.
func StandingView(s *pb.Standing) *StandingJSON {
	if s == nil {
		return nil
	}
	v := &StandingJSON{
		Subject: s.Subject, Region: s.Region, Category: s.Category, Status: word(statusNames, int32(s.Status)),
		MayPromise: s.MayPromise, Counts: CountsJSON(s.Counts),
		Commitments: []CommitmentJSON{}, CommitmentsRoot: hex.EncodeToString(s.CommitmentsRoot),
		Penalties: []PenaltyJSON{}, PenaltiesRoot: hex.EncodeToString(s.PenaltiesRoot),
		Lists: []ListJSON{}, ListsRoot: hex.EncodeToString(s.ListsRoot), Abnormal: []AbnormalJSON{}, AbnormalRoot: hex.EncodeToString(s.AbnormalRoot),
		Others: []OtherJSON{}, OthersRoot: hex.EncodeToString(s.OthersRoot),
		Incentives: []IncentiveJSON{}, IncentivesRoot: hex.EncodeToString(s.IncentivesRoot), Restricted: hex.EncodeToString(s.Restricted),
	}
	for i := range s.Commitments {
		v.Commitments = append(v.Commitments, CommitmentView(&s.Commitments[i]))
	}
	for i := range s.Penalties {
		p := &s.Penalties[i]
		kinds := p.Kinds
		if kinds == nil {
			kinds = []uint32{}
		}
		v.Penalties = append(v.Penalties, PenaltyJSON{
			Record: hex.EncodeToString(p.Record), DocNo: p.DocNo, Issuer: p.Issuer, Class: word(severityNames, int32(p.Class)),
			Kinds: kinds, DecidedOn: date(p.DecidedOn), MinUntil: date(p.MinUntil), MaxUntil: date(p.MaxUntil),
			Final: p.Final, Objection: p.Objection,
		})
	}
	for i := range s.Lists {
		l := &s.Lists[i]
		v.Lists = append(v.Lists, ListJSON{
			Record: hex.EncodeToString(l.Record), List: l.List, DocNo: l.DocNo, Issuer: l.Issuer,
			DecidedOn: date(l.DecidedOn), MinUntil: date(l.MinUntil), MaxUntil: date(l.MaxUntil), Final: l.Final, Objection: l.Objection,
		})
	}
	for i := range s.Abnormal {
		a := &s.Abnormal[i]
		v.Abnormal = append(v.Abnormal, AbnormalJSON{
			Record: hex.EncodeToString(a.Record), Reason: a.Reason, Issuer: a.Issuer,
			ListedOn: date(a.ListedOn), Objection: a.Objection,
		})
	}
	for i := range s.Others {
		o := &s.Others[i]
		v.Others = append(v.Others, OtherJSON{
			Record: hex.EncodeToString(o.Record), Source: o.Source, DocNo: o.DocNo, Issuer: o.Issuer, Class: word(severityNames, int32(o.Class)),
			DecidedOn: date(o.DecidedOn), MinUntil: date(o.MinUntil), MaxUntil: date(o.MaxUntil), Final: o.Final, Objection: o.Objection,
		})
	}
	for i := range s.Incentives {
		n := &s.Incentives[i]
		v.Incentives = append(v.Incentives, IncentiveJSON{
			Record: hex.EncodeToString(n.Record), List: n.List, Issuer: n.Issuer, State: word(incentiveNames, int32(n.State)),
			NoticeUntil: date(n.NoticeUntil), DecidedOn: date(n.DecidedOn), ValidUntil: date(n.ValidUntil), Objection: n.Objection,
		})
	}
	return v
}

// CommitmentView gives the view of a public commitment.
func CommitmentView(c *pb.PublicCommitment) CommitmentJSON {
	return CommitmentJSON{
		Code: c.Code, Type: c.Type, State: word(stateNames, int32(c.State)),
		MadeOn: date(c.MadeOn), ValidUntil: date(c.ValidUntil), Acceptor: c.Acceptor, Objection: c.Objection,
	}
}

func word(names []string, i int32) string {
	if i < 1 || int(i) >= len(names) {
		return "unknown"
	}
	return names[i]
}

// date writes a day, null for none. A day of the ledger is a civil day, so UTC serves for the arithmetic.
func date(d int32) *string {
	if d == 0 {
		return nil
	}
	s := time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
	return &s
}

// BundleJSON is the view of a bundle that nobody has verified.
type BundleJSON struct {
	Unverified bool   `json:"unverified"` // always true
	Format     string `json:"format"`
	Form       string `json:"form"`
	BlockJSON
	CatalogVersion uint64      `json:"catalog_version"`
	CatalogDigest  string      `json:"catalog_digest"`
	Log            string      `json:"log"`
	Pack           string      `json:"pack"`
	Entries        []EntryJSON `json:"entries"`
	PathBytes      int         `json:"path_bytes"`
}

// BlockJSON is what bundles, packs and anchor proofs say of the block.
type BlockJSON struct {
	ChainID      string          `json:"chain_id"`
	Height       int64           `json:"height"` // of the state: that of the header less one
	HeaderHeight int64           `json:"header_height"`
	HeaderHash   string          `json:"header_hash"` // what witnesses cosign and authorities stamp
	Time         string          `json:"time"`
	AppHash      string          `json:"app_hash"`
	Round        int32           `json:"round"`
	Signatures   int             `json:"signatures"`
	Validators   []ValidatorJSON `json:"validators"`
	Steps        []StepJSON      `json:"steps"`
}

// PackFileJSON is the view of a pack that nobody has verified.
type PackFileJSON struct {
	Unverified bool   `json:"unverified"` // always true
	Format     string `json:"format"`
	BlockJSON
	Set     string `json:"set"`
	Root    string `json:"root"`
	Members int    `json:"members"`
}

// AnchorProofJSON is the view of an anchor proof that nobody has verified.
type AnchorProofJSON struct {
	Unverified bool   `json:"unverified"` // always true
	Format     string `json:"format"`
	BlockJSON
	Gateway      string `json:"gateway"`
	Hour         int64  `json:"hour"`
	Root         string `json:"root"`
	AnchorHeight int64  `json:"anchor_height"` // of the block that holds it
}

// ValidatorJSON is part of BlockJSON.
type ValidatorJSON struct {
	PubKey string `json:"pub_key"`
	Power  int64  `json:"power"`
}

// StepJSON is part of BlockJSON.
type StepJSON struct {
	HeaderHeight int64           `json:"header_height"`
	HeaderHash   string          `json:"header_hash"`
	Time         string          `json:"time"`
	Next         []ValidatorJSON `json:"next"`
}

// EntryJSON is part of BundleJSON.
type EntryJSON struct {
	Subject  string        `json:"subject"`
	Enrolled bool          `json:"enrolled"`
	Standing *StandingJSON `json:"standing"`
}

// BundleView gives the view of a bundle that DecodeBundle has returned. A standing that cannot be read is an error.
func BundleView(b *pb.Bundle) (*BundleJSON, error) {
	if k := b.Known; k != nil {
		v := &BundleJSON{
			Unverified: true, Format: Magic, Form: string(FormOf(b)), BlockJSON: BlockJSON{
				Height: k.Height - 1, HeaderHeight: k.Height, HeaderHash: hex.EncodeToString(k.Hash), Validators: []ValidatorJSON{}, Steps: []StepJSON{},
			},
		}
		return v, v.state(b)
	}
	v := &BundleJSON{Unverified: true, Format: Magic, Form: string(FormOf(b)), BlockJSON: blockView(b)}
	return v, v.state(b)
}

// PackFileView gives the view of a pack that DecodePack has returned.
func PackFileView(f *pb.Pack) *PackFileJSON {
	root := setRoot(f.Members, f.Set)
	return &PackFileJSON{
		Unverified: true, Format: PackMagic, BlockJSON: blockView(blockOf(f)),
		Set: f.Set.Word(), Root: hex.EncodeToString(root[:]), Members: len(f.Members) / memberBytes,
	}
}

// AnchorProofView gives the view of an anchor proof that DecodeAnchorProof has returned.
func AnchorProofView(p *pb.AnchorProof) *AnchorProofJSON {
	return &AnchorProofJSON{
		Unverified: true, Format: AnchorProofMagic, BlockJSON: blockView(anchorBlock(p)),
		Gateway: p.Row.Gateway, Hour: p.Row.Hour, Root: hex.EncodeToString(p.Row.Root), AnchorHeight: p.Row.Height,
	}
}

// blockView gives the view of the part that speaks of the block, whose header is there whole.
func blockView(b *pb.Bundle) BlockJSON {
	h := b.Header
	hash := HeaderHash(h)
	v := BlockJSON{
		ChainID: h.ChainId, Height: h.Height - 1, HeaderHeight: h.Height,
		HeaderHash: hex.EncodeToString(hash[:]), Time: timeOf(h).Format(time.RFC3339Nano), AppHash: hex.EncodeToString(h.AppHash),
		Round: b.Commit.Round, Signatures: len(b.Commit.Times), Validators: []ValidatorJSON{}, Steps: []StepJSON{},
	}
	if b.Validators != nil {
		v.Validators = setView(b.Validators)
	}
	for i := range b.Steps {
		s := &b.Steps[i]
		stepHash := HeaderHash(&s.Header)
		v.Steps = append(v.Steps, StepJSON{
			HeaderHeight: s.Header.Height, HeaderHash: hex.EncodeToString(stepHash[:]),
			Time: timeOf(&s.Header).Format(time.RFC3339Nano), Next: setView(&s.Next),
		})
	}
	return v
}

func (v *BundleJSON) state(b *pb.Bundle) error {
	v.CatalogVersion, v.CatalogDigest = binary.BigEndian.Uint64(b.Catalog), hex.EncodeToString(b.Catalog[8:])
	v.Log, v.Pack, v.PathBytes = hex.EncodeToString(b.Log), hex.EncodeToString(b.Pack), len(b.Shape)+len(b.Hashes)
	for i := range b.Entries {
		e := &b.Entries[i]
		s, err := readStanding(e)
		if err != nil {
			return err
		}
		v.Entries = append(v.Entries, EntryJSON{Subject: e.Subject, Enrolled: s != nil, Standing: StandingView(s)})
	}
	return nil
}

func setView(s *pb.ValidatorSet) []ValidatorJSON {
	out := make([]ValidatorJSON, len(s.Powers))
	for i, p := range s.Powers {
		out[i] = ValidatorJSON{PubKey: base64.StdEncoding.EncodeToString(keyAt(s, i)), Power: p}
	}
	return out
}

// VerdictJSON is the view of an outcome. What has not been verified is null.
type VerdictJSON struct {
	Verdict      string        `json:"verdict"` // holds, does-not-hold, invalid, stale, untrusted, unsupported, usage
	Code         string        `json:"code"`
	Reason       string        `json:"reason,omitempty"`
	Subject      string        `json:"subject"`
	Claim        string        `json:"claim"`
	Holds        bool          `json:"holds"`
	Enrolled     *bool         `json:"enrolled"`
	ChainID      *string       `json:"chain_id"`
	Height       *int64        `json:"height"`
	HeaderHeight *int64        `json:"header_height"`
	Time         *string       `json:"time"`
	AgeSeconds   *int64        `json:"age_seconds"`
	SignedPower  *int64        `json:"signed_power"`
	TotalPower   *int64        `json:"total_power"`
	Witnessed    []string      `json:"witnessed,omitempty"`
	Stamped      []string      `json:"stamped,omitempty"`
	Standing     *StandingJSON `json:"standing"`
}

// VerdictView gives the view of what Verify returned. A stale bundle shows what it proves for its time and holds nothing.
func VerdictView(v *Verdict, err error, p Policy) VerdictJSON {
	j := VerdictJSON{Subject: p.Subject, Claim: p.Claim.String()}
	var e *Error
	switch errors.As(err, &e); {
	case err == nil:
		j.Verdict, j.Code, j.Holds, j.Reason = "holds", v.Code, v.Holds, v.Reason
		if !v.Holds {
			j.Verdict = "does-not-hold"
		}
	case e == nil:
		j.Verdict, j.Reason = "invalid", err.Error()
		return j
	default:
		j.Verdict, j.Code, j.Reason = className(e.Class), e.Code, e.Text
		if v = e.Seen; v == nil {
			return j
		}
	}
	at := v.Time.Format(time.RFC3339Nano)
	age := int64(v.Age / time.Second)
	j.Subject, j.Enrolled, j.ChainID, j.Height, j.HeaderHeight = v.Subject, &v.Enrolled, &v.ChainID, &v.Height, &v.HeaderHeight
	j.Time, j.AgeSeconds, j.SignedPower, j.TotalPower = &at, &age, &v.SignedPower, &v.TotalPower
	j.Witnessed, j.Stamped, j.Standing = v.Witnessed, v.Stamped, StandingView(v.Standing)
	return j
}

func className(class error) string {
	switch class {
	case ErrUsage:
		return "usage"
	case ErrVersion:
		return "unsupported"
	case ErrTrust:
		return "untrusted"
	case ErrStale:
		return "stale"
	default:
		return "invalid"
	}
}
