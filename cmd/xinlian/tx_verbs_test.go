package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/node/client"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// Everything that a transaction can carry has a verb.
func TestEveryMessageHasAVerb(t *testing.T) {
	have := map[reflect.Type]bool{
		reflect.TypeOf(new(pb.EnrolSubject)):  true, // import subjects
		reflect.TypeOf(new(pb.PublishRecord)): true, // tx sanction publish
	}
	for _, g := range txGroups {
		for _, v := range g.verbs {
			have[reflect.TypeOf(v.make())] = true
		}
	}
	for _, m := range client.Messages() {
		if !have[reflect.TypeOf(m)] {
			t.Errorf("%T has no verb", m)
		}
	}
}

// Every example is a message that reads, once its capital placeholders are filled in, and says where its texts are kept.
func TestExamplesRead(t *testing.T) {
	fill := strings.NewReplacer(`"USCC"`, `"91410100Y000000160"`, `"ID"`, hex64, `"RECORD ID"`, hex64, `"APPLICATION ID"`, hex64, `"MEASURE ID"`, hex64, `"CASE ID"`, hex64, `"LISTING ID"`, hex64, `"OBJECTION ID"`, hex64, `"INCENTIVE ID"`, hex64, `"PLAN ID"`, hex64, `"ROOT"`, hex64, `"ADDRESS"`, `"`+strings.Repeat("0", 40)+`"`, `"SIGNATURE"`, `"`+strings.Repeat("0", 130)+`"`)
	for _, g := range txGroups {
		for _, v := range g.verbs {
			example, _, _ := strings.Cut(v.example, "\n  other actions")
			m := v.make()
			texts, err := client.ReadMessage([]byte(fill.Replace(example)), m)
			if err != nil {
				t.Errorf("tx %s %s: %v", g.use, v.name, err)
				continue
			}
			if !json.Valid([]byte(example)) {
				t.Errorf("tx %s %s: the example is no JSON", g.use, v.name)
			}
			if len(texts) > 0 && v.keptUnder == nil {
				t.Errorf("tx %s %s: the example has a text, and the verb keeps none", g.use, v.name)
			}
			for field := range texts {
				if err := client.SetDigest(m, field, [32]byte{}); err != nil {
					t.Errorf("tx %s %s: %v", g.use, v.name, err)
				}
			}
			if v.keptUnder != nil {
				v.keptUnder(m)
			}
			client.Wrap(m)
		}
	}
}

const hex64 = `"0000000000000000000000000000000000000000000000000000000000000000"`
