package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/intake"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

const (
	txPatience   = 15 * time.Second
	jsonFileMax  = 4 << 20
	reportMax    = 512 << 20
	publishBatch = 200
)

func txCmd() *cobra.Command {
	cmd := group("tx", "Submit one decision and wait for its block")
	for _, g := range txGroups {
		of := group(g.use, g.short)
		for _, v := range g.verbs {
			of.AddCommand(verbCmd(v))
		}
		if g.use == "sanction" {
			of.AddCommand(publishCmd())
		}
		cmd.AddCommand(of)
	}
	cmd.Long = `Submit one decision and wait for its block. The fields of the message come from flags or from --json-file (a JSON object with the
field names of the wire; "-" reads standard input); a flag wins over the file. Dates are YYYY-MM-DD, ids and digests hexadecimal digits.

A digest may be given as the text itself, under the field's name without _digest (reason instead of reason_digest): the text goes to the vault
and its digest to the ledger.

Exit codes: 0 done, 1 refused (one line with code, rule, the day on which it would pass, and remedy), 2 the call was wrong, 3 the node was not
reached.`
	return cmd
}

// verbFlags are the flags of one verb: those of a session, and one for each field.
type verbFlags struct {
	session
	file   string
	vault  string
	json   bool
	fields []fieldFlag
}

// fieldFlag is a flag that sets a field, or the text of a digest field.
type fieldFlag struct {
	field client.Field
	flag  string
	text  bool
	value string
}

func verbCmd(v verb) *cobra.Command {
	f := &verbFlags{}
	cmd := &cobra.Command{
		Use: v.name, Short: v.short, Args: cobra.NoArgs,
		Example: "  --json-file FILE with\n  " + strings.ReplaceAll(v.example, "\n", "\n  "),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVerb(cmd, v, f) },
	}
	f.addNode(cmd, txPatience)
	f.addKey(cmd, true)
	cmd.Flags().StringVar(&f.file, "json-file", "", `file with the message as a JSON object ("-": standard input)`)
	cmd.Flags().BoolVar(&f.json, "json", false, "answer as JSON")
	if v.keptUnder != nil {
		cmd.Flags().StringVar(&f.vault, "vault", "", "folder of the vault for texts (default $XINLIAN_HOME/vault)")
	}
	for _, field := range client.Fields(v.make()) {
		flag := strings.ReplaceAll(field.Name, "_", "-")
		if flag == "key" { // --key is the one that signs
			flag = "firm-key"
		}
		f.fields = append(f.fields, fieldFlag{field: field, flag: flag})
		if field.Digest {
			f.fields = append(f.fields, fieldFlag{field: field, flag: strings.TrimSuffix(flag, "-digest"), text: true})
		}
	}
	for i := range f.fields {
		g := &f.fields[i]
		help := g.field.Help
		switch {
		case g.field.Name == client.ActField && g.text:
			help = "text by which agencies know the act (违法行为标识); its digest goes to the ledger, the text nowhere"
		case g.field.Name == client.ActField:
			help = "digest by which agencies know the act (违法行为标识)"
		case g.text:
			help = "text; goes to the vault"
		case g.field.Digest:
			help = "digest of a text that the vault has already"
		case g.field.Name == "issuer":
			help = "code of the agency in whose name the key acts (default: the key's own)"
		}
		cmd.Flags().Var((*fieldValue)(g), g.flag, help)
		if g.field.Bool {
			cmd.Flags().Lookup(g.flag).NoOptDefVal = "true"
		}
	}
	return cmd
}

// fieldValue lets pflag fill a fieldFlag.
type fieldValue fieldFlag

func (v *fieldValue) String() string     { return v.value }
func (v *fieldValue) Set(s string) error { v.value = s; return nil }
func (v *fieldValue) Type() string {
	switch {
	case v.field.Bool:
		return "bool"
	case v.field.Number:
		return "number"
	}
	return "string"
}

// json is the flag's value as the message file would have it.
func (g *fieldFlag) json() (json.RawMessage, error) {
	quote := func(s string) json.RawMessage {
		raw, err := json.Marshal(s)
		if err != nil {
			panic(err) // a string always encodes
		}
		return raw
	}
	switch {
	case g.text:
		return quote(g.value), nil
	case g.field.Bool:
		b, err := strconv.ParseBool(g.value)
		if err != nil {
			return nil, fmt.Errorf("--%s is true or false", g.flag)
		}
		return json.RawMessage(strconv.FormatBool(b)), nil
	case g.field.Number:
		if _, err := strconv.ParseInt(g.value, 10, 64); err != nil {
			return nil, fmt.Errorf("--%s is a whole number", g.flag)
		}
		return json.RawMessage(g.value), nil
	case g.field.List:
		var items []json.RawMessage
		for _, part := range strings.Split(g.value, ",") {
			part = strings.TrimSpace(part)
			if _, err := strconv.ParseInt(part, 10, 32); err == nil && len(part) < 6 {
				items = append(items, json.RawMessage(part))
			} else {
				items = append(items, quote(part))
			}
		}
		return json.Marshal(items)
	}
	return quote(g.value), nil
}

// message puts file and flags together.
func (f *verbFlags) message(cmd *cobra.Command, v verb) (any, client.Texts, error) {
	object := map[string]json.RawMessage{}
	if f.file != "" {
		raw, err := readInput(f.file, jsonFileMax)
		if err != nil {
			return nil, nil, err
		}
		// The whole file is read strictly first: a map would pass over a field that stands twice.
		if _, err := client.ReadMessage(raw, v.make()); err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, nil, err
		}
	}
	for i := range f.fields {
		g := &f.fields[i]
		if !cmd.Flags().Changed(g.flag) {
			continue
		}
		value, err := g.json()
		if err != nil {
			return nil, nil, err
		}
		path := strings.Split(g.field.Path, ".")
		if g.text {
			path[len(path)-1] = strings.TrimSuffix(path[len(path)-1], "_digest")
		}
		if err := setPath(object, path, value); err != nil {
			return nil, nil, err
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, nil, err
	}
	m := v.make()
	texts, err := client.ReadMessage(raw, m)
	return m, texts, err
}

// setPath sets a value in an object of objects.
func setPath(object map[string]json.RawMessage, path []string, value json.RawMessage) error {
	if len(path) == 1 {
		object[path[0]] = value
		return nil
	}
	inner := map[string]json.RawMessage{}
	if raw, ok := object[path[0]]; ok {
		if err := json.Unmarshal(raw, &inner); err != nil {
			return fmt.Errorf("%s is no JSON object", path[0])
		}
	}
	if err := setPath(inner, path[1:], value); err != nil {
		return err
	}
	raw, err := json.Marshal(inner)
	object[path[0]] = raw
	return err
}

func runVerb(cmd *cobra.Command, v verb, f *verbFlags) error {
	m, texts, err := f.message(cmd, v)
	if err != nil {
		return usage(err)
	}
	c, err := f.open(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := fillIssuer(cmd.Context(), c, &f.session, m); err != nil {
		return err
	}
	if len(texts) > 0 {
		if err := f.keep(cmd.Context(), v, m, texts); err != nil {
			return err
		}
	}
	o, err := c.Send(cmd.Context(), client.Wrap(m))
	if err != nil {
		return verdictOf(err)
	}
	return showOutcome(cmd, o, f.json)
}

// fillIssuer puts the key's own agency where the message names none.
func fillIssuer(ctx context.Context, c *client.Client, s *session, m any) error {
	empty := issuers(m)
	if len(empty) == 0 {
		return nil
	}
	uscc, err := s.member(ctx, c)
	if err != nil {
		return verdictOf(err)
	}
	for _, v := range empty {
		v.SetString(uscc)
	}
	return nil
}

// issuers are the empty fields of a message that name who issues it; of a commitment its acceptor as well, which issues unless an agent does.
func issuers(m any) []reflect.Value {
	var out []reflect.Value
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			switch {
			case f.Kind() == reflect.String && f.String() == "" && (name == "Issuer" || name == "Acceptor"):
				out = append(out, f)
			case f.Kind() == reflect.Struct && name != "Action":
				walk(f)
			case f.Kind() == reflect.Pointer && !f.IsNil() && f.Elem().Kind() == reflect.Struct:
				walk(f.Elem())
			}
		}
	}
	walk(reflect.ValueOf(m).Elem())
	return out
}

// keep stores the texts of a message and puts their digests into it.
func (f *verbFlags) keep(ctx context.Context, v verb, m any, texts client.Texts) error {
	if v.keptUnder == nil {
		return usage(errors.New("this message has no text"))
	}
	vlt, err := f.session.vault(ctx, f.vault)
	if err != nil {
		return err
	}
	record := v.keptUnder(m)
	for field, words := range texts {
		digest, err := vlt.Put(record, words)
		if err != nil {
			return usage(fmt.Errorf("vault: %w", err))
		}
		if err := client.SetDigest(m, field, digest); err != nil {
			return usage(err)
		}
	}
	return nil
}

// showOutcome prints what became of a transaction, and gives the error of a refused one.
func showOutcome(cmd *cobra.Command, o *client.Outcome, asJSON bool) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), inLanguage(cmd, o)); err != nil {
			return err
		}
		return verdictOf(o.Err())
	}
	if err := o.Err(); err != nil {
		return verdictOf(err)
	}
	for i := range o.Results {
		r := &o.Results[i]
		what := "done"
		if r.AlreadyRecorded() {
			what = "stands already, nothing was changed"
		}
		if r.Record == "" {
			sayf(cmd, cmd.OutOrStdout(), "%s at height %d; transaction %s", what, o.Height, o.ID)
		} else {
			sayf(cmd, cmd.OutOrStdout(), "%s at height %d; record %s; transaction %s", what, o.Height, r.Record, o.ID)
		}
	}
	return nil
}

// inLanguage is an outcome with its words in the language of the verb.
func inLanguage(cmd *cobra.Command, o *client.Outcome) *client.Outcome {
	say := func(s string) string { return catalog().Text(speaks(cmd), s) }
	out := *o
	out.Reason, out.Remedy, out.Results = say(o.Reason), say(o.Remedy), slices.Clone(o.Results)
	for i := range out.Results {
		out.Results[i].Reason, out.Results[i].Remedy = say(out.Results[i].Reason), say(out.Results[i].Remedy)
	}
	return &out
}

// publishFlags of `tx sanction publish`.
type publishFlags struct {
	session
	records    []string
	fromReport string
	all        bool
	json       bool
	file       string
}

func publishCmd() *cobra.Command {
	f := &publishFlags{}
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Publish verified records (核验公示)",
		Long: `Publish registered records that have been verified: those named, those of an import's report, or with --all-verified every registered
record that this key may verify, by what its agency and those that gave it a mandate must publish. Publishing a record again changes nothing.`,
		Example: `  xinlian tx sanction publish --key ops --record ID --record ID
  xinlian tx sanction publish --key ops --from-report out.csv
  xinlian tx sanction publish --key ops --all-verified
  --json-file FILE with
  {"issuer": "USCC", "record": "ID"}`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPublish(cmd, f) },
	}
	f.addNode(cmd, txPatience)
	f.addKey(cmd, true)
	cmd.Flags().StringVar(&f.issuer, "issuer", "", "code of the agency that issued the records (default: looked up)")
	cmd.Flags().StringSliceVar(&f.records, "record", nil, "record id; may be given several times")
	cmd.Flags().StringVar(&f.fromReport, "from-report", "", "report of an import: its recorded and already recorded rows")
	cmd.Flags().BoolVar(&f.all, "all-verified", false, "every registered record that this key may verify")
	cmd.Flags().StringVar(&f.file, "json-file", "", `file with the message as a JSON object ("-": standard input)`)
	cmd.Flags().BoolVar(&f.json, "json", false, "answer as JSON")
	return cmd
}

// published is what became of a publication of many.
type published struct {
	Published int               `json:"published"`
	Already   int               `json:"already_published"`
	Skipped   int               `json:"skipped"` // 轻微 records that are not published, and what has left publicity
	Refused   int               `json:"refused"`
	Results   []publishedResult `json:"results"`
}

type publishedResult struct {
	Record string `json:"record"`
	Code   string `json:"code"`
	Note   string `json:"note,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// candidate is a record to publish. An empty issuer is looked up.
type candidate struct {
	record, issuer string
	state          string // as far as it is known
}

func runPublish(cmd *cobra.Command, f *publishFlags) error {
	ways := 0
	for _, given := range []bool{len(f.records) > 0, f.fromReport != "", f.all, f.file != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return usage(errors.New("name the records in one way: --record, --from-report, --all-verified or --json-file"))
	}
	var list []candidate
	switch {
	case f.file != "":
		raw, err := readInput(f.file, jsonFileMax)
		if err != nil {
			return usage(err)
		}
		m := new(pb.PublishRecord)
		if _, err := client.ReadMessage(raw, m); err != nil {
			return usage(err)
		}
		list = []candidate{{record: hex.EncodeToString(m.Record), issuer: m.Issuer}}
	case f.fromReport != "":
		ids, err := reportRecords(f.fromReport)
		if err != nil {
			return usage(err)
		}
		for _, id := range ids {
			list = append(list, candidate{record: id})
		}
	default:
		for _, s := range f.records {
			id, err := recordID(s)
			if err != nil {
				return err
			}
			list = append(list, candidate{record: hex.EncodeToString(id[:])})
		}
	}
	c, err := f.open(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	ctx := cmd.Context()
	if f.all {
		if list, err = registered(ctx, c, f.issuer); err != nil {
			return verdictOf(err)
		}
	}
	out, err := publish(ctx, c, f.issuer, list, f.fromReport != "")
	if err != nil {
		return verdictOf(err)
	}
	if f.json {
		if err := printJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		shown := 0
		for _, r := range out.Results {
			if r.Code != client.OK {
				if shown++; shown <= refusedShown {
					sayf(cmd, cmd.ErrOrStderr(), "record %s: %s", r.Record, r.Reason)
				}
			}
		}
		sayf(cmd, cmd.OutOrStdout(), "%d published, %d published already, %d not for publication, %d refused", out.Published, out.Already, out.Skipped, out.Refused)
	}
	if out.Refused > 0 {
		return exitWith(1, nil)
	}
	return nil
}

// reportRecords reads the record ids that an import recorded.
func reportRecords(path string) ([]string, error) {
	raw, err := readInput(path, reportMax)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	head, err := r.Read()
	if err != nil || len(head) < 3 || head[1] != "outcome" || head[2] != "record" {
		return nil, fmt.Errorf("%s is no report of an import", path)
	}
	var out []string
	seen := map[string]bool{}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if id := line[2]; id != "" && !seen[id] && (line[1] == string(intake.Recorded) || line[1] == string(intake.AlreadyRecorded)) {
			seen[id] = true
			out = append(out, id)
		}
	}
}

// partsOf finds whose a record of any kind is, and how it stands, in whatever form the reader gets it.
func partsOf(raw json.RawMessage) (issuer, state string) {
	var forms map[string]json.RawMessage
	if json.Unmarshal(raw, &forms) != nil {
		return "", ""
	}
	for name, form := range forms {
		var v struct {
			Issuer   string `json:"issuer"`
			State    string `json:"state"`
			Provider string `json:"provider"` // of an objection
			Agent    string `json:"agent"`    // of a court's plan
		}
		if json.Unmarshal(form, &v) != nil {
			continue
		}
		if v.Issuer = cmp.Or(v.Issuer, v.Provider, v.Agent); v.Issuer == "" {
			continue
		}
		if strings.HasPrefix(name, "published") {
			v.State = "published"
		}
		return v.Issuer, v.State
	}
	return "", ""
}

// registered finds the registered records that the key may verify: by the duty to publish of its own agency, and of those that let it publish.
func registered(ctx context.Context, c *client.Client, only string) ([]candidate, error) {
	self, err := c.Self(ctx)
	if err != nil {
		return nil, err
	}
	agencies := []string{self.USCC}
	for _, m := range self.Mandates {
		if slices.Contains(m.Kinds, "publish") {
			agencies = append(agencies, m.Issuer)
		}
	}
	var out []candidate
	for _, agency := range agencies {
		if only != "" && only != agency {
			continue
		}
		err := c.EachDuty(ctx, agency, func(d *client.Duty) error {
			if d.Kind == "publish" {
				out = append(out, candidate{d.Record, agency, "registered"})
			}
			return nil
		})
		if client.CodeOf(err) == "E_DUTIES_AUDIENCE" {
			continue // the mandate has ended, or has not begun
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lookUp finds the issuer and the state of each record that does not say them.
func lookUp(ctx context.Context, c *client.Client, list []candidate) error {
	const readers = 4
	errs := make([]error, readers)
	var wg sync.WaitGroup
	for w := range readers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < len(list); i += readers {
				if list[i].issuer != "" {
					continue
				}
				raw, err := c.Record(ctx, list[i].record)
				if client.CodeOf(err) == "E_RECORD_UNKNOWN" {
					continue // stays without an issuer
				}
				if err != nil {
					errs[w] = err
					return
				}
				list[i].issuer, list[i].state = partsOf(raw)
			}
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// publish sends the records in batches. A refused one is dropped and the rest sent again. A record that this key may not see is refused, or in
// skipUnseen passed over: of a whole report some have ended their term, which is nobody's fault.
func publish(ctx context.Context, c *client.Client, issuer string, list []candidate, skipUnseen bool) (*published, error) {
	if issuer == "" {
		if err := lookUp(ctx, c, list); err != nil {
			return nil, err
		}
	}
	out := &published{Results: []publishedResult{}}
	var send []candidate
	for _, r := range list {
		if r.issuer == "" {
			r.issuer = issuer
		}
		switch {
		case r.state == "unpublished", r.state == "repaired", r.state == "expired", r.state == "withdrawn", r.issuer == "" && skipUnseen:
			out.Skipped++
			continue
		case r.issuer == "":
			out.Refused++
			out.Results = append(out.Results, publishedResult{
				Record: r.record, Code: "E_RECORD_UNKNOWN", Reason: "E_RECORD_UNKNOWN: no such record is for this key; check the id, or name --issuer",
			})
			continue
		}
		send = append(send, r)
	}
	for len(send) > 0 {
		n := min(publishBatch, len(send))
		if err := out.batch(ctx, c, send[:n]); err != nil {
			return out, err
		}
		send = send[n:]
	}
	return out, nil
}

func (p *published) batch(ctx context.Context, c *client.Client, list []candidate) error {
	for len(list) > 0 {
		msgs := make([]pb.Msg, len(list))
		for i, r := range list {
			id, err := recordID(r.record)
			if err != nil {
				return err
			}
			msgs[i] = pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: r.issuer, Record: id[:]}}}
		}
		o, err := c.Send(ctx, msgs...)
		if err != nil {
			return err
		}
		if len(o.Results) != len(list) {
			return o.Err()
		}
		var left []candidate
		for i := range o.Results {
			r := &o.Results[i]
			switch {
			case r.Refused():
				p.Refused++
				p.Results = append(p.Results, publishedResult{Record: list[i].record, Code: r.Code, Reason: r.Error()})
			case o.Refused():
				left = append(left, list[i])
			default:
				if r.AlreadyRecorded() {
					p.Already++
				} else {
					p.Published++
				}
				p.Results = append(p.Results, publishedResult{Record: list[i].record, Code: client.OK, Note: r.Note})
			}
		}
		if len(left) == len(list) {
			return o.Err()
		}
		list = left
	}
	return nil
}

func readAtMost(f *os.File, max int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(raw)) > max {
		err = fmt.Errorf("the input has more than %d bytes", max)
	}
	return raw, err
}
