package intake

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// Profile says what a file leaves out and what it calls things by another name:
//
//	[defaults]
//	statement = "heard"          # a value for all rows, for a column that the file has not
//
//	[columns]
//	"案件文号" = "cf_wsh"          # their title = our field name
//
// A column that the file has always wins over a declared value. Fields that say which record a row is cannot be declared.
type Profile struct {
	defaults map[string]string
	columns  map[string]string // folded title → field name
}

// LoadProfile reads a profile for a kind of file.
func LoadProfile(path string, kind Kind) (*Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(CodeProfile, "check the path", "%v", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, profileBytesMax+1))
	if err != nil {
		return nil, fileError(CodeProfile, "check the file", "%v", err)
	}
	return ParseProfile(raw, kind)
}

// ParseProfile reads a profile's text.
func ParseProfile(raw []byte, kind Kind) (*Profile, error) {
	bad := func(format string, args ...any) (*Profile, error) {
		return nil, fileError(CodeProfile, "correct the profile", format, args...)
	}
	if len(raw) > profileBytesMax {
		return bad("the profile is longer than %d bytes", profileBytesMax)
	}
	var text struct {
		Defaults map[string]string `toml:"defaults"`
		Columns  map[string]string `toml:"columns"`
	}
	dec := toml.NewDecoder(newReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&text); err != nil {
		var strict *toml.StrictMissingError
		var decode *toml.DecodeError
		switch {
		case errors.As(err, &strict) && len(strict.Errors) > 0:
			return bad("the profile has [defaults] and [columns] only; it also holds %q", strict.Errors[0].Key())
		case errors.As(err, &decode):
			row, _ := decode.Position()
			return bad("line %d of the profile: %s", row, decode.Error())
		}
		return bad("%v", err)
	}
	p := &Profile{defaults: map[string]string{}, columns: map[string]string{}}
	find := func(name string) *Field {
		i := slices.IndexFunc(fields[kind], func(f Field) bool { return f.Name == name })
		if i < 0 {
			return nil
		}
		return &fields[kind][i]
	}
	for _, name := range sortedKeys(text.Defaults) {
		f := find(name)
		switch {
		case f == nil:
			return bad("[defaults] %q is no field of %s", name, kind)
		case f.key:
			return bad("[defaults] %s says which record a row is and cannot be the same for all", f.Label())
		case len(text.Defaults[name]) > CellBytesMax:
			return bad("[defaults] %s is longer than %d bytes", f.Label(), CellBytesMax)
		}
		p.defaults[name] = text.Defaults[name]
	}
	for _, title := range sortedKeys(text.Columns) {
		name := text.Columns[title]
		if drop, _ := personal(name); find(name) == nil && !drop {
			return bad("[columns] %q is no field of %s", name, kind)
		}
		folded := foldTitle(title)
		if _, twice := p.columns[folded]; twice || folded == "" {
			return bad("[columns] the title %q is empty or stands twice", title)
		}
		p.columns[folded] = name
	}
	return p, nil
}

func (p *Profile) value(name string) (string, bool) {
	if p == nil {
		return "", false
	}
	v, ok := p.defaults[name]
	return v, ok
}

func (p *Profile) column(folded string) (string, bool) {
	if p == nil {
		return "", false
	}
	v, ok := p.columns[folded]
	return v, ok
}
