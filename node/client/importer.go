package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/xinlian-ledger/xinlian/node/intake"
	"github.com/xinlian-ledger/xinlian/node/vault"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// BatchDefault is how many rows go into a transaction.
const BatchDefault = 200

// flightsDefault is how many transactions are on their way at a time.
const flightsDefault = 4

// txBytesTarget keeps a transaction of rows below what the wire allows.
const txBytesTarget = pb.TxBytesMax - 16<<10

// listsATime is how many lists of 信用中国 go into a transaction: each weighs a hundred messages, and a member's share of a block is 10,000 by default.
const listsATime = 25

// codeTooLarge refuses a transaction that no block will ever take.
const codeTooLarge = "E_TX_SIZE"

// codeAllOrNothing marks a row that is not wrong itself: another one of a file that goes in as a whole or not at all is.
const codeAllOrNothing = "E_ALL_OR_NOTHING"

// Import is one file on its way.
type Import struct {
	Client *Client
	Rows   *intake.Reader
	Vault  *vault.Vault                 // where the words of the rows go; nil: the rows have none (subjects)
	Report func(intake.ReportRow) error // called once for each row, in the order of the file
	Batch  int                          // rows a transaction; 0 = BatchDefault
	Flight int                          // transactions at a time; 0 = a few

	// AllOrNothing sends nothing unless every row passes. A file of at most 1,000 messages is one transaction, and the chain holds to it. A larger
	// one is first checked row by row in transactions that are made to fail (see probe); between check and sending another member
	// can still come in the way, and then the report says which rows stand.
	AllOrNothing bool
	// DryRun reads and maps, and sends nothing. Rows that would be sent are reported to Would instead.
	DryRun bool
	Would  func(intake.Row) error

	// Progress is called after each row that has ended. It may be nil.
	Progress func(rows int)
}

// Summary counts how the rows ended.
type Summary struct {
	Rows, Recorded, Already, Refused int
	Transactions                     int
}

// row is a row on its way.
type row struct {
	intake.Row
	seq  int // place in the file
	size int // bytes of its messages
	keys []claim
	note string
}

// claim says what a row touches that another row's outcome may depend on. Rows with claims that clash are never on their way at the same
// time in two transactions: their order in the file is their order in the ledger.
type claim struct {
	key   string
	write bool
}

// claims of a row: the thing that it is about; and for commitments the bar, which a breach sets and types 1 and 3 meet.
func claims(r *intake.Row) []claim {
	var out []claim
	if r.Key != "" {
		out = append(out, claim{"k" + r.Key, true})
	}
	breach, subject, barred := false, "", false
	for i := range r.Messages {
		switch m := r.Messages[i].Sum.(type) {
		case *pb.Msg_SubmitCommitment:
			c := &m.SubmitCommitment.Content
			subject, barred = c.Subject, c.Type == 1 || c.Type == 3
		case *pb.Msg_AssessCommitment:
			breach = m.AssessCommitment.Fulfilment != 1
		}
	}
	if subject != "" && (breach || barred) {
		out = append(out, claim{"b" + subject, breach})
	}
	return out
}

// held counts the claims of what is on its way.
type held struct {
	mu      sync.Mutex
	free    *sync.Cond
	readers map[string]int
	writers map[string]int
	flights int
	failed  bool
}

func newHeld() *held {
	h := &held{readers: map[string]int{}, writers: map[string]int{}}
	h.free = sync.NewCond(&h.mu)
	return h
}

func (h *held) clash(keys []claim) bool {
	for _, k := range keys {
		if h.writers[k.key] > 0 || k.write && h.readers[k.key] > 0 {
			return true
		}
	}
	return false
}

func (h *held) count(rows []*row, by int) {
	for _, r := range rows {
		for _, k := range r.keys {
			m := h.readers
			if k.write {
				m = h.writers
			}
			if m[k.key] += by; m[k.key] == 0 {
				delete(m, k.key)
			}
		}
	}
}

// take waits for a place and for all clashing rows, and takes their claims.
func (h *held) take(rows []*row, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.failed && (h.flights >= most || slices.ContainsFunc(rows, func(r *row) bool { return h.clash(r.keys) })) {
		h.free.Wait()
	}
	if h.failed {
		return false
	}
	h.flights++
	h.count(rows, 1)
	return true
}

func (h *held) release(rows []*row, failed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flights--
	h.count(rows, -1)
	h.failed = h.failed || failed
	h.free.Broadcast()
}

// run is the state of one import.
type run struct {
	*Import
	ctx  context.Context
	held *held
	wg   sync.WaitGroup

	mu      sync.Mutex
	sum     Summary
	waiting map[int]intake.ReportRow // guarded by mu; ended out of order
	said    map[int][]*row           // guarded by mu; rows that the message of an earlier row says, by its number
	leads   map[int]intake.ReportRow // guarded by mu; how rows ended whose messages may say others
	next    int                      // guarded by mu; first row that is not reported
	err     error                    // guarded by mu; first one
}

// Run carries the import out. Every row whose outcome is known is reported, in the order of the file; an error says why the others are not.
// errors.Is(err, ErrUnreachable): no node answered, and the same import goes on where this one ended.
func (im *Import) Run(ctx context.Context) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Import: im, ctx: ctx, held: newHeld(), waiting: map[int]intake.ReportRow{}, said: map[int][]*row{}, leads: map[int]intake.ReportRow{}}
	if r.Batch <= 0 {
		r.Batch = BatchDefault
	}
	if r.Flight <= 0 {
		r.Flight = flightsDefault
	}
	err := r.read()
	r.wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	if e := r.flush(true); r.err == nil {
		r.err = e
	}
	return r.sum, r.err
}

// read takes the rows from the file and puts them on their way.
func (r *run) read() error {
	if r.AllOrNothing {
		return r.readAll()
	}
	b := new(batch)
	for seq := 0; ; seq++ {
		next, err := r.Rows.Next()
		if errors.Is(err, io.EOF) {
			return r.launch(b)
		}
		if err != nil {
			return errors.Join(err, r.launch(b))
		}
		w := r.prepare(next, seq)
		if w == nil {
			continue
		}
		if !b.fits(w, r.Batch) {
			if err := r.launch(b); err != nil {
				return err
			}
			b = new(batch)
		}
		b.add(w)
	}
}

// prepare reports a row that is not to be sent, and makes the others ready.
func (r *run) prepare(in intake.Row, seq int) *row {
	r.mu.Lock()
	r.sum.Rows++
	r.mu.Unlock()
	switch {
	case in.Refusal != nil:
		r.end(seq, intake.RefusedRow(in))
		return nil
	case r.DryRun:
		var err error
		if r.Would != nil {
			err = r.Would(in)
		}
		r.fail(err)
		r.end(seq, intake.ReportRow{}) // nothing became of it
		return nil
	case in.Of != 0:
		r.follow(&row{Row: in, seq: seq})
		return nil
	}
	w := &row{Row: in, seq: seq, keys: claims(&in)}
	for i := range in.Messages {
		w.size += in.Messages[i].Size() + 8
	}
	return w
}

// follow ends a row as the row whose message says it ends, now or later.
func (r *run) follow(w *row) {
	r.mu.Lock()
	line, ended := r.leads[w.Of]
	if !ended {
		r.said[w.Of] = append(r.said[w.Of], w)
	}
	r.mu.Unlock()
	if ended {
		r.end(w.seq, saidBy(line, w))
	}
}

// saidBy is the line of a row that ended as another did.
func saidBy(line intake.ReportRow, w *row) intake.ReportRow {
	line.Row, line.Record, line.Note = w.Number, w.Record, strings.Join(w.Notes, "; ")
	return line
}

// batch is the rows of one transaction.
type batch struct {
	rows     []*row
	messages int
	bytes    int
}

func (b *batch) fits(w *row, most int) bool {
	if len(b.rows) == 0 {
		return true
	}
	if w.Messages[0].GetReconcile() != nil {
		most = min(most, listsATime)
	}
	if len(b.rows) >= most || b.messages+len(w.Messages) > pb.MessagesMax || b.bytes+w.size > txBytesTarget {
		return false
	}
	// One thing at most once a transaction: two rows about it would hide each other's outcome.
	return w.Key == "" || !slices.ContainsFunc(b.rows, func(o *row) bool { return o.Key == w.Key })
}

func (b *batch) add(w *row) {
	b.rows = append(b.rows, w)
	b.messages += len(w.Messages)
	b.bytes += w.size
}

// launch sends a batch beside the others.
func (r *run) launch(b *batch) error {
	if len(b.rows) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if !r.held.take(b.rows, r.Flight) {
		return r.failure()
	}
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		err := r.fly(b.rows)
		r.fail(err)
		r.held.release(b.rows, err != nil)
	}()
	return nil
}

// fly brings the rows of a batch to their end. After a refusal the refused rows are dropped and the rest is sent again, until it passes or
// nothing is left: what the refused ones did in between was undone with them, so a row may be refused only then.
func (r *run) fly(rows []*row) error {
	if err := r.keep(rows); err != nil {
		return err
	}
	for len(rows) > 0 {
		o, err := r.send(rows, nil)
		if err != nil {
			return err
		}
		if n := len(rows); o.Code == codeTooLarge && n > 1 { // a consortium with a smaller share
			return errors.Join(r.fly(rows[:n/2]), r.fly(rows[n/2:]))
		}
		left, err := r.settle(rows, o)
		if err != nil {
			return err
		}
		rows = left
	}
	return nil
}

// keep stores the words of rows before their messages are sent: a crash in between leaves words without a record, never a record without its
// words.
func (r *run) keep(rows []*row) error {
	if r.Vault == nil {
		return nil
	}
	var (
		items []vault.Item
		owner []*row
	)
	for _, w := range rows {
		for _, t := range w.Texts {
			items = append(items, vault.Item{Record: t.Record, Texts: t.Fields})
			owner = append(owner, w)
		}
	}
	for i, err := range r.Vault.PutAll(items) {
		switch {
		case errors.Is(err, vault.ErrDestroyed):
			owner[i].note = "its words were destroyed in the vault and are not stored again"
		case err != nil:
			return fmt.Errorf("row %d: %w", owner[i].Number, err)
		}
	}
	return nil
}

// send makes one transaction of rows, with messages after them.
func (r *run) send(rows []*row, after []pb.Msg) (*Outcome, error) {
	var msgs []pb.Msg
	for _, w := range rows {
		msgs = append(msgs, w.Messages...)
	}
	r.mu.Lock()
	r.sum.Transactions++
	r.mu.Unlock()
	return r.Client.Send(r.ctx, append(msgs, after...)...)
}

// verdict is how a row fared in a transaction.
type verdict struct {
	refusal *intake.Refusal
	already bool
	record  []byte
}

// judge reads the results of each row's messages. They stand in the order of the messages.
func judge(rows []*row, o *Outcome) ([]verdict, error) {
	out := make([]verdict, len(rows))
	at := 0
	for i, w := range rows {
		v := &out[i]
		v.already = true
		for range w.Messages {
			if at >= len(o.Results) || int(o.Results[at].Index) != at {
				return nil, fmt.Errorf("the outcome of transaction %s does not name every message", o.ID)
			}
			res := &o.Results[at]
			at++
			if v.record == nil && res.Record != "" {
				v.record, _ = hex.DecodeString(res.Record)
			}
			v.already = v.already && res.AlreadyRecorded()
			if res.Refused() && v.refusal == nil {
				v.refusal = refusalOf(res.Code, res.Reason, res.Rule, res.PassesOn, res.Remedy)
			}
		}
	}
	return out, nil
}

// settle reports the rows whose end is known, and gives those that must be sent again.
func (r *run) settle(rows []*row, o *Outcome) (left []*row, err error) {
	if o.Refused() && len(o.Results) == 0 {
		// The gate did not let the transaction through: that concerns each row.
		why := refusalOf(o.Code, o.Reason, o.Rule, o.PassesOn, o.Remedy)
		for _, w := range rows {
			r.ended(w, intake.Refused, nil, why)
		}
		return nil, nil
	}
	verdicts, err := judge(rows, o)
	if err != nil {
		return nil, err
	}
	for i, w := range rows {
		v := verdicts[i]
		switch {
		case v.refusal != nil:
			r.ended(w, intake.Refused, v.record, v.refusal)
		case o.Refused():
			left = append(left, w)
		case v.already:
			r.ended(w, intake.AlreadyRecorded, v.record, nil)
		default:
			r.ended(w, intake.Recorded, v.record, nil)
		}
	}
	if o.Refused() && len(left) == len(rows) {
		return nil, fmt.Errorf("transaction %s was refused (%s), and no message of it", o.ID, o.Code)
	}
	return left, nil
}

func refusalOf(code, reason, rule, passesOn, remedy string) *intake.Refusal {
	reason, remedy = bare(code, reason, rule, passesOn, remedy)
	if passesOn != "" {
		reason += "; passes on " + passesOn
	}
	return &intake.Refusal{Code: code, Reason: reason, Rule: rule, Remedy: remedy}
}

func (r *run) ended(w *row, o intake.Outcome, record []byte, why *intake.Refusal) {
	in := w.Row
	if w.note != "" {
		in.Notes = append(slices.Clone(in.Notes), w.note)
	}
	if record != nil && in.Record == nil {
		in.Record = record
	}
	line := intake.OutcomeRow(in, o, record, why)
	r.end(w.seq, line)
	if len(w.Messages) == 0 || w.Messages[0].GetReconcile() == nil {
		return
	}
	r.mu.Lock()
	r.leads[w.Number] = line
	said := r.said[w.Number]
	delete(r.said, w.Number)
	r.mu.Unlock()
	for _, v := range said {
		r.end(v.seq, saidBy(line, v))
	}
}

// end files the line of a row. Lines are written in the order of the file.
func (r *run) end(seq int, line intake.ReportRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch line.Outcome {
	case intake.Recorded:
		r.sum.Recorded++
	case intake.AlreadyRecorded:
		r.sum.Already++
	case intake.Refused:
		r.sum.Refused++
	}
	r.waiting[seq] = line
	if err := r.flush(false); err != nil && r.err == nil {
		r.err = err
	}
	if r.Progress != nil {
		r.Progress(r.sum.Recorded + r.sum.Already + r.sum.Refused)
	}
}

// flush writes the lines that are next. Where the import has ended early, also those behind a gap: what is known is told. Owned by mu.
func (r *run) flush(all bool) error {
	write := func(line intake.ReportRow) error {
		if line.Outcome == "" || r.Report == nil {
			return nil
		}
		return r.Report(line)
	}
	for line, ok := r.waiting[r.next]; ok; line, ok = r.waiting[r.next] {
		delete(r.waiting, r.next)
		r.next++
		if err := write(line); err != nil {
			return err
		}
	}
	if !all {
		return nil
	}
	rest := make([]int, 0, len(r.waiting))
	for seq := range r.waiting {
		rest = append(rest, seq)
	}
	slices.Sort(rest)
	for _, seq := range rest {
		if err := write(r.waiting[seq]); err != nil {
			return err
		}
	}
	r.waiting = nil
	return nil
}

func (r *run) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

func (r *run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// readAll is AllOrNothing: nothing is sent before every row is known to pass.
func (r *run) readAll() error {
	var (
		rows []*row
		bad  bool
	)
	for seq := 0; ; seq++ {
		next, err := r.Rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if next.Refusal != nil {
			bad = true
		}
		if w := r.prepare(next, seq); w != nil {
			rows = append(rows, w)
		}
	}
	if r.DryRun || len(rows) == 0 {
		return nil
	}
	if bad {
		r.refuseRest(rows)
		return nil
	}
	whole := new(batch)
	for _, w := range rows {
		whole.add(w)
	}
	lists := rows[0].Messages[0].GetReconcile() != nil // lists weigh more than they count
	if whole.messages <= pb.MessagesMax && whole.bytes <= txBytesTarget && (!lists || len(rows) <= listsATime) {
		return r.sendWhole(rows)
	}
	return r.sendProbed(rows)
}

// sendWhole is one transaction: the chain itself takes all of it or nothing.
func (r *run) sendWhole(rows []*row) error {
	if err := r.keep(rows); err != nil {
		return err
	}
	o, err := r.send(rows, nil)
	if err != nil {
		return err
	}
	left, err := r.settle(rows, o)
	if err != nil {
		return err
	}
	r.refuseRest(left)
	return nil
}

// sendProbed checks the rows in transactions that cannot pass, and sends them only where every row did.
func (r *run) sendProbed(rows []*row) error {
	var batches []*batch
	b := new(batch)
	for _, w := range rows {
		if !b.fits(w, min(r.Batch, pb.MessagesMax/4)) {
			batches, b = append(batches, b), new(batch)
		}
		b.add(w)
	}
	batches = append(batches, b)
	var fine []*row
	bad := false
	for _, b := range batches {
		o, err := r.send(b.rows, []pb.Msg{probe(b.rows[0].Issuer)})
		if err != nil {
			return err
		}
		if !o.Refused() {
			return fmt.Errorf("transaction %s was made to be refused and passed", o.ID)
		}
		if len(o.Results) > 0 {
			o.Results = o.Results[:len(o.Results)-1]
		}
		left, err := r.settleProbe(b.rows, o)
		if err != nil {
			return err
		}
		bad = bad || len(left) < len(b.rows)
		fine = append(fine, left...)
	}
	if bad {
		r.refuseRest(fine)
		return nil
	}
	for _, b := range batches {
		if err := r.launch(b); err != nil {
			return err
		}
	}
	return nil
}

// settleProbe reports the refused rows of a probe and gives the others.
func (r *run) settleProbe(rows []*row, o *Outcome) (left []*row, err error) {
	if len(o.Results) == 0 {
		return r.settle(rows, o)
	}
	verdicts, err := judge(rows, o)
	if err != nil {
		return nil, err
	}
	for i, w := range rows {
		if verdicts[i].refusal != nil {
			r.ended(w, intake.Refused, verdicts[i].record, verdicts[i].refusal)
		} else {
			left = append(left, w)
		}
	}
	return left, nil
}

// probe is a message that no state lets pass: nothing has the record id of 32 zero bytes. A transaction that ends with it changes nothing, and
// the chain says of every message before it whether it would have passed.
func probe(issuer string) pb.Msg {
	return pb.Msg{Sum: &pb.Msg_PublishRecord{PublishRecord: &pb.PublishRecord{Issuer: issuer, Record: make([]byte, 32)}}}
}

// refuseRest ends rows that nothing is wrong with but their file.
func (r *run) refuseRest(rows []*row) {
	why := &intake.Refusal{
		Code: codeAllOrNothing, Reason: "another row was refused and the file goes in as a whole or not at all", Rule: "import",
		Remedy: "correct the refused rows, or send the file without --all-or-nothing",
	}
	for _, w := range rows {
		r.ended(w, intake.Refused, nil, why)
	}
}
