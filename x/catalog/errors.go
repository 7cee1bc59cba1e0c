package catalog

import "github.com/xinlian-ledger/xinlian/x"

// Refusals of module 5. Numbers are permanent.
var (
	ErrParamUnknown = x.Reject(501, "E_PARAM_UNKNOWN", "INV-25",
		"there is no such parameter", "`xinlian query params` lists them")
	ErrParamRange = x.Reject(502, "E_PARAM_RANGE", "INV-25",
		"the value is outside the bounds that the law leaves", "choose a value within the bounds")
	ErrSeverityRule = x.Reject(503, "E_SEVERITY_RULE", "N1",
		"the thresholds are not positive and ascending, or a class is not defined", "give 0 < large ≤ huge in fen")
	ErrTemplate = x.Reject(504, "E_TEMPLATE", "S0 ch.3 §6",
		"the template is not well formed, or another text stands under this version", "put a new text under a new version")
	ErrCalendar = x.Reject(505, "E_CALENDAR", "L7 art 203, INV-27",
		"the year's exceptions are not well formed", "list each day once, ascending, all of one year")
	ErrRegionRow = x.Reject(506, "E_REGION_ROW", "GB/T 2260",
		"a row of the region table is not well formed, or its parent is missing or leads in a circle", "correct the rows")
	ErrBusinessItem = x.Reject(507, "E_BUSINESS_ITEM", "A1-5",
		"an item of business is not well formed", "give its code, its public name in one line and the field that excludes it, if one does")
	ErrMeasureItem = x.Reject(520, "E_MEASURE_ITEM", "H1 art 29, G1(6)",
		"an item of the list of measures is not well formed, or another text stands under this version", "state 事项, 对象, 手段, 主体 and 依据; put a new text under a new version")
	ErrBasis = x.Reject(521, "E_BASIS", "G1, H1 art 20(2), INV-36",
		"a measure rests on no item in force of the list of measures, or an item or list names no law, regulation or central policy", "name the text that it rests on; without one there is no measure")
	ErrIncentiveList = x.Reject(523, "E_INCENTIVE_LIST", "H1 art 28, art 30",
		"an incentive list is not well formed, or another text stands under this version", "put a new text under a new version")
	ErrListStandard = x.Reject(522, "E_LIST_STANDARD", "G1(6)(7)",
		"the standard of a list is not well formed, or another text stands under this version", "put a new text under a new version")
)
