// Package peer tells apart who is at the other end of a connection (对端), for the shares that each may have of what a node takes on.
//
// What it promises:
//
//   - A peer is its address without the port, of IPv6 the first 64 bits, however the address is written.
//   - Whoever is no trusted proxy says nothing about who asks: what it sends in X-Forwarded-For is not read.
//   - Of what a trusted proxy sends, only what it and the trusted proxies before it have put there is read: from the right to the first address that is no proxy's. What a reader
//     put there itself stands further left.
//   - Who came over a trusted proxy is not on this machine, whatever that says of him.
//
// Trust: a proxy that is named as trusted can give each request a peer of its choice. Whoever can change this package can let one peer take the places of all, and open to the world
// what is for peers on this machine.
package peer

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Of names the peer of an address with a port.
func Of(addr string) string {
	ip, ok := ipOf(addr)
	switch {
	case !ok:
		return addr
	case ip.Is6():
		block, _ := ip.Prefix(64) // errs for a length that no address has
		return block.String()     // whoever has one address of it has all
	}
	return ip.String()
}

// OverProxy is the peer of all that ask on this machine, over a trusted proxy of it: a peer like any other, which has its rate and shares, and is not Local.
const OverProxy = "over a proxy of this machine"

// Local says whether a peer is on this machine.
func Local(addr string) bool {
	ip, ok := ipOf(addr)
	return ok && ip.IsLoopback()
}

// ipOf is the address alone. An address of IPv4 is one however it is written.
func ipOf(addr string) (ip netip.Addr, ok bool) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip, err = netip.ParseAddr(host)
	return ip.Unmap().WithZone(""), err == nil
}

// Proxies are those whose word about who asks is believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks that are divided by commas.
func ParseProxies(text string) (p Proxies, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for _, s := range strings.Split(text, ",") {
		s = strings.TrimSpace(s)
		block, err := netip.ParsePrefix(s)
		if ip, single := netip.ParseAddr(s); single == nil && ip.Zone() == "" {
			block, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.1.2.0/24", s)
		case block.Addr().Is4In6():
			return nil, fmt.Errorf("%q is an address of IPv4: write it as one", s)
		case block.Bits() == 0:
			return nil, fmt.Errorf("%q is everybody: name the proxies", s)
		case block != block.Masked():
			return nil, fmt.Errorf("%q is an address within a network: write %s, or the address alone", s, block.Masked())
		}
		p = append(p, block)
	}
	return p, nil
}

// Has says whether an address with a port is a trusted proxy's.
func (p Proxies) Has(addr string) bool {
	ip, ok := ipOf(addr)
	return ok && p.has(ip)
}

func (p Proxies) has(ip netip.Addr) bool {
	for _, block := range p {
		if block.Contains(ip) {
			return true
		}
	}
	return false
}

// Reader is who asks, where a request comes from an address with the values of its X-Forwarded-For lines, in their order. Where all are proxies the first of them asks, which is the
// farthest. Whoever has come over a trusted proxy is never Local. An error: a trusted proxy says what is no address. It is not counted as the proxy's own question: on this machine that has no share.
func (p Proxies) Reader(addr string, forwarded []string) (string, error) {
	if len(p) == 0 || len(forwarded) == 0 || !p.Has(addr) {
		return addr, nil
	}
	list, far := strings.Split(strings.Join(forwarded, ","), ","), addr
	for i := len(list) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.Trim(list[i], " \t"))
		if err != nil || ip.Zone() != "" {
			return "", fmt.Errorf("entry %d from the right of X-Forwarded-For is no address", len(list)-i)
		}
		ip = ip.Unmap()
		if ip.IsLoopback() { // the machine of the proxy that says so, which has another name already
			continue
		}
		if far = netip.AddrPortFrom(ip, 0).String(); !p.has(ip) {
			return far, nil
		}
	}
	if Local(far) {
		return OverProxy, nil
	}
	return far, nil
}
