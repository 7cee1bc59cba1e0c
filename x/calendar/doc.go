// Package calendar is the ledger's legal calendar (期间): days, months and working days
// as the Civil Code and the Administrative Penalty Law count them, and nothing else.
//
// It promises that the same date arithmetic gives the same answer on every node and in
// every year the ledger lives (INV-27):
//
//   - A Date is a count of days, not an instant. It has no zone, no clock and no zone
//     database behind it; an instant becomes a day only through Of, at a fixed +08:00.
//   - By days, the first day does not count (民法典 201): AddDays, AddWorkingDays.
//   - By months and years, the corresponding day, or the month's end where the month has
//     none (民法典 202): AddMonths, AddYears.
//   - A last day that is a rest day moves to the next working day (民法典 203): Calendar.Roll.
//     Nothing rolls by itself, because periods counted in working days never need it.
//   - "二日、三日、五日、七日" in the penalty law are working days (行政处罚法 85): the caller says so
//     by calling AddWorkingDays.
//
// Monday to Friday are working days except where the exception table says otherwise:
// the State Council's holidays and make-up working days (调休). A year that has no table yet
// counts Monday to Friday until governance loads one; dates already computed and stored
// never move, since callers store the result and not the rule. Refusing instead would keep
// an agency from recording in December what is due in January; readers are told until when
// the calendar is known (/v1/status, /v1/duties, xinlian_calendar_days).
//
// Arithmetic never fails and never panics: results saturate at Min and Max, and any
// arithmetic on an unset date stays unset. Input is checked where it enters
// (ParseDate, FromYMD, Date.Check), so that a rule has one place to refuse and no error
// to forget.
//
// Trust: whoever can change this package can move every deadline, publication period and
// bar on the ledger by any number of days; they cannot touch what a record says or who signed it.
package calendar
