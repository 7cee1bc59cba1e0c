package sample

import (
	"bytes"
	"embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Files of the sample.
const (
	SubjectsCSV      = "subjects.csv"
	PenaltiesCSV     = "penalties.csv"
	PenaltiesXLSX    = "penalties.xlsx"
	PenaltiesGB18030 = "penalties-gb18030.csv"
	CommitmentsCSV   = "commitments.csv"
	CommitmentsXLSX  = "commitments.xlsx"
	FulfillmentsCSV  = "fulfillments.csv"
	AbnormalCSV      = "abnormal.csv"
	OthersCSV        = "others.csv"
	CreditChinaCSV   = "credit-china.csv"
	MembersJSON      = "members.json"
	ExpectedCSV      = "expected.csv"
)

//go:embed subjects.csv penalties.csv penalties.xlsx penalties-gb18030.csv commitments.csv commitments.xlsx fulfillments.csv abnormal.csv others.csv credit-china.csv members.json expected.csv
var files embed.FS

// File gives the bytes of a file.
func File(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("sample: %v", err))
	}
	return raw
}

// Names lists the files.
func Names() []string {
	return []string{
		SubjectsCSV, PenaltiesCSV, PenaltiesXLSX, PenaltiesGB18030, CommitmentsCSV, CommitmentsXLSX, FulfillmentsCSV,
		AbnormalCSV, OthersCSV, CreditChinaCSV, MembersJSON, ExpectedCSV,
	}
}

// Member is a sample agency. Key is the name of its key in a localnet.
type Member struct {
	Key         string       `json:"key"`
	USCC        string       `json:"uscc"`
	Name        string       `json:"name"`
	Level       string       `json:"level"` // province, prefecture, county, zone
	Regions     []string     `json:"regions"`
	System      string       `json:"system,omitempty"`
	Competences []Competence `json:"competences,omitempty"`
}

// Competence is what an agency may decide, and where.
type Competence struct {
	PowerCode    string   `json:"power_code"`
	PenaltyKinds []uint32 `json:"penalty_kinds"`
	Regions      []string `json:"regions"`
	Lists        []string `json:"lists,omitempty"`
	Measures     []string `json:"measures,omitempty"`
	Incentives   []string `json:"incentives,omitempty"`
	Abnormal     bool     `json:"abnormal,omitempty"`
	Other        bool     `json:"other,omitempty"`
}

// Levels by their name in members.json.
var levels = map[string]pb.Level{
	"province": pb.LEVEL_PROVINCE, "prefecture": pb.LEVEL_PREFECTURE, "county": pb.LEVEL_COUNTY, "zone": pb.LEVEL_ZONE,
}

// Row is the member's row in genesis, without keys.
func (m Member) Row() pb.Member {
	row := pb.Member{Uscc: m.USCC, Level: levels[m.Level], Regions: slices.Clone(m.Regions), Name: m.Name, System: m.System}
	for _, c := range m.Competences {
		row.Competences = append(row.Competences, &pb.Competence{
			PowerCode: c.PowerCode, PenaltyKinds: slices.Clone(c.PenaltyKinds), Regions: slices.Clone(c.Regions),
			Lists: slices.Clone(c.Lists), Measures: slices.Clone(c.Measures), Incentives: slices.Clone(c.Incentives), Abnormal: c.Abnormal, Other: c.Other,
		})
	}
	return row
}

// Members gives the sample agencies.
func Members() []Member {
	var out []Member
	if err := json.Unmarshal(File(MembersJSON), &out); err != nil {
		panic(fmt.Sprintf("sample: %s: %v", MembersJSON, err))
	}
	return out
}

// MemberByKey finds a sample agency, such as zz-scjg.
func MemberByKey(key string) (Member, bool) {
	for _, m := range Members() {
		if m.Key == key {
			return m, true
		}
	}
	return Member{}, false
}

// Subject is a sample firm.
type Subject struct {
	Row  pb.Subject
	Name string
}

// Subjects gives the sample firms, in the order of the file.
func Subjects() []Subject {
	var out []Subject
	for _, r := range rows(SubjectsCSV, 4) {
		category, err := strconv.ParseUint(r[3], 10, 32)
		if err != nil {
			panic(fmt.Sprintf("sample: %s: %v", SubjectsCSV, err))
		}
		out = append(out, Subject{
			Row:  pb.Subject{Uscc: r[0], Region: r[2], Category: uint32(category), Status: pb.SUBJECT_ACTIVE},
			Name: r[1],
		})
	}
	return out
}

// Yucai (豫才服务有限公司) is the firm of the scenarios; it has no records in the sample files.
const Yucai = "91410100Y000000160"

// ReservedCount is the number of firms that Reserved gives.
const ReservedCount = 10

// Reserved gives firms without any record in the sample files, all of one region and category: for a story and its clean twin.
func Reserved() []string {
	var out []string
	for _, s := range Subjects()[1 : 1+ReservedCount] {
		out = append(out, s.Row.Uscc)
	}
	return out
}

// Expected is the outcome that the import of a row must have. Rows that are not listed are recorded.
type Expected struct {
	File    string
	Row     int    // as a spreadsheet shows it; the header is row 1
	Outcome string // recorded, already recorded, refused
	Code    string // of a refusal
	What    string // what is odd about the row
}

// Expectations gives the outcomes of odd rows, by file and row.
func Expectations() []Expected {
	var out []Expected
	for _, r := range rows(ExpectedCSV, 5) {
		n, err := strconv.Atoi(r[1])
		if err != nil {
			panic(fmt.Sprintf("sample: %s: %v", ExpectedCSV, err))
		}
		out = append(out, Expected{File: r[0], Row: n, Outcome: r[2], Code: r[3], What: r[4]})
	}
	return out
}

func rows(name string, fields int) [][]string {
	r := csv.NewReader(bytes.NewReader(File(name)))
	r.FieldsPerRecord = fields
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		panic(fmt.Sprintf("sample: %s: %v", name, err))
	}
	return all[1:]
}
