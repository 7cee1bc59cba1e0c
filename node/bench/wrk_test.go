package bench

import "testing"

func TestParseWrk(t *testing.T) {
	w, err := parseWrk([]byte(`Running 2s test @ http://127.0.0.1:26680
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.21ms    1.02ms  20.11ms   81.00%
    Req/Sec     9.80k     0.91k   11.20k    65.00%
  Latency Distribution
     50%    3.05ms
     75%    3.70ms
     90%    4.40ms
     99%  500.00us
  19500 requests in 2.00s, 44.10MB read
  Non-2xx or 3xx responses: 7
Requests/sec:   9750.12
Transfer/sec:     22.05MB
`))
	if err != nil || *w != (Wrk{PerSecond: 9750.12, P50: 3.05, P99: 0.5, Refused: 7}) {
		t.Errorf("%+v %v", w, err)
	}
	if _, err := parseWrk([]byte("unable to connect")); err == nil {
		t.Error("it took anything")
	}
}
