package peer

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		addr, peer string
		local      bool
	}{
		{"203.0.113.1:80", "203.0.113.1", false},
		{"[::ffff:203.0.113.1]:80", "203.0.113.1", false},
		{"[2001:db8::1]:1", "2001:db8::/64", false},
		{"[2001:db8::ffff:0:0:1]:1", "2001:db8::/64", false},
		{"[2001:db8:0:1::1]:1", "2001:db8:0:1::/64", false},
		{"[fe80::1%eth0]:1", "fe80::/64", false},
		{"127.0.0.1:1", "127.0.0.1", true},
		{"127.1.2.3:1", "127.1.2.3", true},
		{"[::ffff:127.0.0.1]:1", "127.0.0.1", true},
		{"[::1]:1", "::/64", true},
		{"@", "@", false},
		{"", "", false},
	} {
		if got := Of(c.addr); got != c.peer || Local(c.addr) != c.local {
			t.Errorf("%q is peer %q, local %v", c.addr, got, Local(c.addr))
		}
	}
}

func TestParseProxies(t *testing.T) {
	for _, text := range []string{"", " ", "127.0.0.1", "127.0.0.1,::1", " 10.1.2.0/24 , 2001:db8::/32", "192.0.2.7/32", "127.0.0.0/8"} {
		if _, err := ParseProxies(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"localhost":           "neither",
		"127.0.0.1:80":        "neither",
		"[::1]":               "neither",
		"127.0.0.1 10.0.0.1":  "neither",
		"127.0.0.1,":          "neither",
		",":                   "neither",
		"10.0.0.0/33":         "neither",
		"010.0.0.1":           "neither",
		"fe80::1%eth0":        "neither",
		"fe80::%eth0/64":      "neither",
		"0.0.0.0/0":           "everybody",
		"::/0":                "everybody",
		"10.0.0.1/8":          "10.0.0.0/8",
		"2001:db8::1/64":      "2001:db8::/64",
		"::ffff:10.0.0.1":     "IPv4",
		"::ffff:10.0.0.0/104": "IPv4",
	} {
		if p, err := ParseProxies(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v %v, want one line with %q", text, p, err, want)
		}
	}
}

// Who asks is found from the right, over trusted proxies alone; what others say, and what stands left of him who asks, is not read.
func TestReader(t *testing.T) {
	const none = "no address"
	for _, c := range []struct {
		name, proxies, addr string
		forwarded           []string
		want                string
	}{
		{"no proxies", "", "127.0.0.1:5", []string{"203.0.113.9"}, "127.0.0.1:5"},
		{"no header", "127.0.0.1", "127.0.0.1:5", nil, "127.0.0.1:5"},
		{"a proxy", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"from somebody else", "127.0.0.1", "203.0.113.1:5", []string{"198.51.100.1"}, "203.0.113.1:5"},
		{"what is no address from somebody else", "127.0.0.1", "203.0.113.1:5", []string{"unknown"}, "203.0.113.1:5"},
		{"a beginning of its own", "127.0.0.1", "127.0.0.1:5", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"a beginning that is this machine", "127.0.0.1", "127.0.0.1:5", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"a beginning that is no address", "127.0.0.1", "127.0.0.1:5", []string{"\"; drop, ,, 203.0.113.9"}, "203.0.113.9:0"},
		{"two proxies", "127.0.0.1,10.0.0.0/24", "127.0.0.1:5", []string{"198.51.100.1, 203.0.113.9, 10.0.0.7"}, "203.0.113.9:0"},
		{"a second proxy that is not trusted", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9, 10.0.0.7"}, "10.0.0.7:0"},
		{"two lines", "127.0.0.1,10.0.0.7", "127.0.0.1:5", []string{"198.51.100.1, 203.0.113.9", "10.0.0.7"}, "203.0.113.9:0"},
		{"a line of its own before the proxy's", "127.0.0.1", "127.0.0.1:5", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9:0"},
		{"IPv6", "::1", "[::1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv6 before IPv4", "10.0.0.7", "10.0.0.7:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv4 in IPv6", "10.0.0.7", "[::ffff:10.0.0.7]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9:0"},
		{"a proxy of IPv4 in IPv6", "127.0.0.1,10.0.0.7", "127.0.0.1:5", []string{"203.0.113.9, ::ffff:10.0.0.7"}, "203.0.113.9:0"},
		{"blanks", "127.0.0.1", "127.0.0.1:5", []string{" 198.51.100.1 ,\t203.0.113.9\t"}, "203.0.113.9:0"},
		{"proxies alone", "127.0.0.1,10.0.0.0/24", "127.0.0.1:5", []string{"10.0.0.8, 10.0.0.7"}, "10.0.0.8:0"},
		{"proxies alone, in two lines", "127.0.0.1,10.0.0.0/24", "127.0.0.1:5", []string{"10.0.0.8", "10.0.0.7"}, "10.0.0.8:0"},
		{"a proxy over one of this machine", "127.0.0.1,10.0.0.7", "127.0.0.1:5", []string{"10.0.0.7"}, "10.0.0.7:0"},
		{"the machine of a proxy over one of this machine", "127.0.0.1,10.0.0.7", "127.0.0.1:5", []string{"127.0.0.1, 10.0.0.7"}, "10.0.0.7:0"},
		{"this machine over its proxy", "127.0.0.1", "127.0.0.1:5", []string{"127.0.0.1"}, OverProxy},
		{"this machine over two of its proxies", "127.0.0.1,::1", "[::1]:5", []string{"::1, 127.0.0.1"}, OverProxy},
		{"this machine by another of its addresses", "127.0.0.0/8", "127.0.0.1:5", []string{"127.0.0.2, ::ffff:127.0.0.1"}, OverProxy},
		{"the machine of another proxy", "10.0.0.7", "10.0.0.7:5", []string{"127.0.0.1"}, "10.0.0.7:5"},
		{"somebody behind the machine of another proxy", "10.0.0.7", "10.0.0.7:5", []string{"203.0.113.9, ::1"}, "203.0.113.9:0"},
		{"nothing", "127.0.0.1", "127.0.0.1:5", []string{""}, none},
		{"unknown", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9, unknown"}, none},
		{"a port", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9:4711"}, none},
		{"brackets", "127.0.0.1", "127.0.0.1:5", []string{"[2001:db8::1]"}, none},
		{"a zone", "127.0.0.1", "127.0.0.1:5", []string{"fe80::1%eth0"}, none},
		{"a network", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.0/24"}, none},
		{"octal", "127.0.0.1", "127.0.0.1:5", []string{"0203.0.113.9"}, none},
		{"a comma at the end", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9,"}, none},
		{"an empty line after the proxy's", "127.0.0.1", "127.0.0.1:5", []string{"203.0.113.9", ""}, none},
		{"behind a proxy", "127.0.0.1,10.0.0.7", "127.0.0.1:5", []string{"unknown, 10.0.0.7"}, none},
	} {
		p, err := ParseProxies(c.proxies)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Reader(c.addr, c.forwarded)
		if c.want == none {
			if err == nil || !strings.Contains(err.Error(), none) {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// Who has come over a trusted proxy is never on this machine, whatever that says.
func FuzzNeverLocal(f *testing.F) {
	for _, said := range []string{"", "127.0.0.1", "::1,127.0.0.1", "10.0.0.7", "::ffff:127.0.0.1", "127.0.0.1,10.0.0.7", "203.0.113.9", "::"} {
		f.Add(said)
	}
	p, err := ParseProxies("127.0.0.0/8,::1,10.0.0.7")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said string) {
		for _, addr := range []string{"127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5", "10.0.0.7:5"} {
			if got, err := p.Reader(addr, []string{said}); err == nil && (Local(got) || got == "") {
				t.Errorf("%s says %q: %q is on this machine", addr, said, got)
			}
		}
	})
}

// Whatever a reader puts before what the proxies add changes nothing.
func FuzzReader(f *testing.F) {
	f.Add("127.0.0.1, unknown")
	f.Add(",,")
	p, err := ParseProxies("127.0.0.1,10.0.0.7")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, own string) {
		for _, forwarded := range [][]string{{own, "203.0.113.9", "10.0.0.7"}, {own + ",203.0.113.9", "10.0.0.7"}} {
			if got, err := p.Reader("127.0.0.1:5", forwarded); err != nil || got != "203.0.113.9:0" {
				t.Errorf("%q: %q %v", forwarded, got, err)
			}
		}
	})
}
