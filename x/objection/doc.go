// Package objection takes objections (异议) of subjects, and of anybody to a proposal for an incentive list, from receipt to result.
//
//	O1 none → own:                       File          已标注, 核查中(单位): who received it has three working days
//	O2 own → provider:                   Forward       核查中(提供方): with the agency that answers for the target, seven from receipt
//	O3 own, provider, review:            Pause, Resume a test or an appraisal (检验、检测、检疫、鉴定、评审) stops the clock
//	O4 own, provider → resolved:         Resolve       维持, 更正, 撤销 or 无法认定
//	O5 resolved, or open and overdue → review: Escalate, once, to the provincial credit authority  复核中
//	O6 review → resolved, provider:      Review        upheld, or back to the provider, which now corrects or withdraws
//
// An objection is against a dishonesty record, a breach of commitment, the result of a repair, a sanction measure, or a proposal for an
// incentive list while its public notice runs. In the block that receives it the target carries the mark, and with it every answer, the standing included, until it is resolved
// (INV-34); the target itself stays where it is. That there is a mark says no more than that somebody objects: the objection is never public.
//
// A result is held against what happened to the target: 更正 needs a target that says something else than when the objection came, 撤销 one that
// was withdrawn, 维持 and 无法认定 one that says the same. So a result cannot promise what nobody did.
//
// Package incentive comes after this one: what must be known here of a proposal is handed in (Proposals).
//
// Limits are duties of who holds the objection (receiver, provider, authority); one that passes unmet raises an alarm.
//
// Invariants: INV-34 a record, a breach, a repair or a measure carries as many marks as objections to it are open; INV-32 every result has its reason.
//
// Trust: whoever can change this package can at most make its own node disagree with the others.
package objection
