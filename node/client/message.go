package client

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cosmos/gogoproto/proto"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/calendar"
	"github.com/xinlian-ledger/xinlian/x/code"
)

// Messages as people write them: a JSON object with the field names of the wire. Dates are YYYY-MM-DD, ids, digests and keys hexadecimal
// digits, enumerations their names. A field that is a digest may be given as the text itself under the name without _digest: the text
// goes to the vault, its digest into the message.

// Texts are texts to be kept in the vault, by the digest field that stands for them.
type Texts map[string]map[string]string

// ActField is the field by which agencies know an act (违法行为标识).
const ActField = "act_digest"

// messageBytesMax bounds a message file.
const messageBytesMax = 4 << 20

// ReadMessage fills a message of package pb from JSON. Fields that do not exist, stand twice or hold something else are refused by name.
func ReadMessage(raw []byte, into any) (Texts, error) {
	if len(raw) > messageBytesMax {
		return nil, fmt.Errorf("the message has %d bytes, more than %d", len(raw), messageBytesMax)
	}
	texts := Texts{}
	if err := decode(raw, reflect.ValueOf(into).Elem(), "", texts); err != nil {
		return nil, err
	}
	return texts, nil
}

// Wrap makes of a message of package pb what a transaction carries. A type that the wire does not have is a bug.
func Wrap(message any) pb.Msg {
	for _, w := range new(pb.Msg).XXX_OneofWrappers() {
		t := reflect.TypeOf(w).Elem()
		if t.Field(0).Type == reflect.TypeOf(message) {
			sum := reflect.New(t)
			sum.Elem().Field(0).Set(reflect.ValueOf(message))
			var m pb.Msg
			reflect.ValueOf(&m).Elem().FieldByName("Sum").Set(sum)
			return m
		}
	}
	panic(fmt.Sprintf("%T is no message of a transaction", message))
}

// Messages gives an empty one of every message that a transaction can carry: for tests.
func Messages() (out []any) {
	for _, w := range new(pb.Msg).XXX_OneofWrappers() {
		out = append(out, reflect.New(reflect.TypeOf(w).Elem().Field(0).Type.Elem()).Interface())
	}
	return out
}

// SetDigest puts a digest into the field that Texts names.
func SetDigest(into any, field string, digest [32]byte) error {
	v := reflect.ValueOf(into).Elem()
	for _, name := range strings.Split(field, ".") {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		f, ok := fieldNamed(v.Type(), name)
		if !ok {
			return fmt.Errorf("no field is called %q", field)
		}
		v = v.FieldByIndex(f.index)
	}
	v.SetBytes(digest[:])
	return nil
}

// Field is a field of a message that a flag can set.
type Field struct {
	Name   string // as on the wire
	Path   string // with the names of the messages around it
	Digest bool   // may be given as text
	List   bool
	Bool   bool
	Number bool
	Help   string
}

// Fields lists the fields of a message that are no messages themselves; those of a message in it come with their path.
func Fields(message any) []Field { return flat(reflect.TypeOf(message).Elem(), "") }

func flat(t reflect.Type, prefix string) []Field {
	var out []Field
	for _, f := range fieldsOf(t) {
		g := Field{Name: f.name, Path: prefix + f.name}
		switch e := f.typ; {
		case e == bytesType:
			g.Digest = strings.HasSuffix(f.name, "_digest")
			g.Help = "hexadecimal digits"
		case e.Kind() == reflect.Struct:
			out = append(out, flat(e, prefix+f.name+".")...)
			continue
		case e.Kind() == reflect.Interface, e.Kind() == reflect.Pointer, e.Kind() == reflect.Slice && e.Elem().Kind() == reflect.Struct:
			continue // only in a file
		case e.Kind() == reflect.Slice:
			g.List, g.Help = true, "list with commas"
		case e.Kind() == reflect.Bool:
			g.Bool = true
		case isDate(f):
			g.Help = "date YYYY-MM-DD"
		case isEnum(e):
			g.Help = "one of " + strings.Join(enumNames(e), ", ")
		case e.Kind() != reflect.String:
			g.Number, g.Help = true, "number"
		}
		out = append(out, g)
	}
	return out
}

type wireField struct {
	name  string
	index []int
	typ   reflect.Type
	oneof bool
}

var bytesType = reflect.TypeOf([]byte(nil))

// fieldsOf reads the names on the wire from what the generated code says of itself.
func fieldsOf(t reflect.Type) []wireField {
	var out []wireField
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("protobuf_oneof") != "" {
			out = append(out, wireField{index: f.Index, typ: f.Type, oneof: true})
			continue
		}
		for _, part := range strings.Split(f.Tag.Get("protobuf"), ",") {
			if name, ok := strings.CutPrefix(part, "name="); ok {
				out = append(out, wireField{name: name, index: f.Index, typ: f.Type})
			}
		}
	}
	return out
}

func fieldNamed(t reflect.Type, name string) (wireField, bool) {
	for _, f := range fieldsOf(t) {
		if f.name == name && !f.oneof {
			return f, true
		}
	}
	return wireField{}, false
}

func isEnum(t reflect.Type) bool { return t.Kind() == reflect.Int32 && t.Name() != "int32" }

// isDate: whole days are the wire's only use of int32, but for a year.
func isDate(f wireField) bool {
	return f.typ.Kind() == reflect.Int32 && !isEnum(f.typ) && f.name != "year"
}

func decode(raw json.RawMessage, v reflect.Value, path string, texts Texts) error {
	object, err := objectOf(raw)
	if err != nil {
		if path == "" {
			return fmt.Errorf("the message is %w", err)
		}
		return fmt.Errorf("%s is %w", strings.TrimSuffix(path, "."), err)
	}
	for _, member := range object {
		if err := decodeMember(member.name, member.value, v, path, texts); err != nil {
			return err
		}
	}
	return nil
}

func decodeMember(name string, raw json.RawMessage, v reflect.Value, path string, texts Texts) error {
	if f, ok := fieldNamed(v.Type(), name); ok {
		return decodeValue(raw, v.FieldByIndex(f.index), f, path+name, texts)
	}
	if f, ok := fieldNamed(v.Type(), name+"_digest"); ok && f.typ == bytesType {
		words, err := textOf(raw, name)
		if err != nil {
			return fmt.Errorf("%s: %w", path+name, err)
		}
		if name+"_digest" == ActField {
			text, ok := words[name]
			if !ok || len(words) != 1 {
				return fmt.Errorf("%s is not %s", path+name, "a string")
			}
			digest := code.ActDigest(text)
			v.FieldByIndex(f.index).SetBytes(digest[:])
			return nil
		}
		texts[path+name+"_digest"] = words
		return nil
	}
	for _, f := range fieldsOf(v.Type()) {
		if !f.oneof {
			continue
		}
		m, ok := v.Addr().Interface().(interface{ XXX_OneofWrappers() []interface{} })
		if !ok {
			continue
		}
		for _, w := range m.XXX_OneofWrappers() {
			t := reflect.TypeOf(w).Elem()
			if inner := fieldsOf(t)[0]; inner.name == name {
				if !v.FieldByIndex(f.index).IsNil() {
					return fmt.Errorf("%s: only one of them can be given", path+name)
				}
				wrapper := reflect.New(t)
				if err := decodeValue(raw, wrapper.Elem().Field(0), inner, path+name, texts); err != nil {
					return err
				}
				v.FieldByIndex(f.index).Set(wrapper)
				return nil
			}
		}
	}
	return fmt.Errorf("there is no field %q; the fields are: %s", path+name, strings.Join(namesOf(v), ", "))
}

func decodeValue(raw json.RawMessage, v reflect.Value, f wireField, path string, texts Texts) error {
	bad := func(what string) error { return fmt.Errorf("%s is not %s", path, what) }
	t := v.Type()
	var s string
	isString := json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"'
	switch {
	case t == bytesType:
		b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
		if !isString || err != nil {
			return bad("a string of hexadecimal digits")
		}
		v.SetBytes(b)
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := decode(raw, p.Elem(), path+".", texts); err != nil {
			return err
		}
		v.Set(p)
	case t.Kind() == reflect.Struct:
		return decode(raw, v, path+".", texts)
	case t.Kind() == reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return bad("a list")
		}
		list := reflect.MakeSlice(t, len(items), len(items))
		for i, item := range items {
			inner := wireField{name: f.name, typ: t.Elem()}
			if err := decodeValue(item, list.Index(i), inner, fmt.Sprintf("%s[%d]", path, i), texts); err != nil {
				return err
			}
		}
		if len(items) > 0 { // an empty list and none are one encoding
			v.Set(list)
		}
	case isEnum(t):
		n, ok := enumOf(t, s)
		var number int32
		if !isString && json.Unmarshal(raw, &number) == nil {
			n, ok = number, true
		}
		if !ok {
			return bad("one of " + strings.Join(enumNames(t), ", "))
		}
		v.SetInt(int64(n))
	case isDate(f):
		d, err := calendar.ParseDate(s)
		if s == "" && isString {
			d, err = 0, nil
		}
		if !isString || err != nil {
			return bad("a date of the form YYYY-MM-DD")
		}
		v.SetInt(int64(d))
	case t.Kind() == reflect.String:
		if !isString {
			return bad("a string")
		}
		v.SetString(s)
	case t.Kind() == reflect.Bool:
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return bad("true or false")
		}
		v.SetBool(b)
	default:
		if isString || json.Unmarshal(raw, v.Addr().Interface()) != nil {
			return bad("a whole number in range")
		}
	}
	return nil
}

// textOf reads a text, or several by name.
func textOf(raw json.RawMessage, name string) (map[string]string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if s == "" {
			return nil, fmt.Errorf("the text is empty")
		}
		return map[string]string{name: s}, nil
	}
	var many map[string]string
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
		return nil, fmt.Errorf("a text, or an object of texts, is expected")
	}
	return many, nil
}

type jsonMember struct {
	name  string
	value json.RawMessage
}

// objectOf reads an object in its order. A name that stands twice is refused: readers differ on which one counts.
func objectOf(raw json.RawMessage) ([]jsonMember, error) {
	notObject := fmt.Errorf("no JSON object")
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, notObject
	}
	var out []jsonMember
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, notObject
		}
		if slices.ContainsFunc(out, func(m jsonMember) bool { return m.name == name }) {
			return nil, fmt.Errorf("ambiguous: %q stands twice", name)
		}
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil, notObject
		}
		out = append(out, jsonMember{name, v})
	}
	if _, err := dec.Token(); err != nil || dec.More() {
		return nil, notObject
	}
	return out, nil
}

func namesOf(v reflect.Value) []string {
	var out []string
	for _, f := range fieldsOf(v.Type()) {
		if !f.oneof {
			out = append(out, f.name)
			continue
		}
		if m, ok := v.Addr().Interface().(interface{ XXX_OneofWrappers() []interface{} }); ok {
			for _, w := range m.XXX_OneofWrappers() {
				out = append(out, fieldsOf(reflect.TypeOf(w).Elem())[0].name)
			}
		}
	}
	return out
}

// enumOf finds a value by its name on the wire, or by its last part in any case: ROLE_RECORD, record.
func enumOf(t reflect.Type, s string) (int32, bool) {
	s = strings.ToUpper(s)
	for name, n := range enumValues(t) {
		if name == s || strings.HasSuffix(name, "_"+s) {
			return n, true
		}
	}
	return 0, false
}

func enumValues(t reflect.Type) map[string]int32 { return proto.EnumValueMap("xinlian.v1." + t.Name()) }

func enumNames(t reflect.Type) []string {
	values := enumValues(t)
	names := make([]string, 0, len(values))
	for name, n := range values {
		if n != 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return int(values[a]) - int(values[b]) })
	return names
}
