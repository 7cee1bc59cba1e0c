// Package catalog keeps what the rules read and the consortium may change: parameters (参数), severity thresholds by sector
// (失信严重程度标准), commitment templates (承诺书模板), items of business (业务事项), the list of measures (失信惩戒措施清单), the standards of lists of serious dishonesty (严重失信主体名单认定标准),
// the incentive lists (守信激励名单), the working-day calendar (工作日) and the region table (行政区划).
//
// It promises that what stands here was in genesis or was decided by governance with its notice, lies within the bounds that
// the law leaves (params.go), and works forward only: a date that a record holds was computed by the catalogue of its day and is
// never computed again (INV-25). Every effective change raises the catalogue version by one and runs into its digest, so that
// the app hash says which catalogue a height was executed under:
//
//	genesis  version 1, digest = SHA-256("xinlian/catalog/v1" ‖ 0 ‖ each row by key: uint32be len ‖ key ‖ uint32be len ‖ row)
//	change   version + 1, digest = SHA-256(digest before ‖ SHA-256(encoded action))
//
//	C1  set_param          a known parameter within its bounds, and the others in step with it
//	C2  put_severity_rule  0 < large ≤ huge; sector "*" is the default for all others
//	C3  put_template       text, first day and fields of a version never change; closing ends new commitments under it
//	C4  put_calendar       replaces all exceptions of one year
//	C5  put_region         adds or replaces rows; hierarchy comes from the parent alone, without cycles
//	C6  put_measure_item   a version's text never changes; its last day may be set; it names the law, regulation or central policy behind it
//	C7  put_list_standard  as C6
//	C8  put_business       adds or replaces an item of business, with the field that closes it to commitment in place of proof
//	C9  put_incentive_list as C6
//
// All are applied by Apply, which package app calls when the proposal takes effect. Nobody signs here: who may propose and how
// it is decided is governance's matter.
//
// Invariants: INV-25, INV-27 (one calendar for all nodes, in state), INV-43 (no hierarchy from digits); CAT-1 each row passes the
// check of its kind; CAT-2 parents exist and lead to a root in at most eight steps; CAT-3 the version row stands.
//
// Trust: a quorum of governor members can set each value anywhere within its bounds, and nothing beyond them. Bounds change only
// with the program.
package catalog
