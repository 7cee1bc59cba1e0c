// Package intake turns an agency's file into messages for the ledger: CSV (UTF-8 or GB18030) or XLSX, row by row, with the mending
// and refusing that the import promises. It knows no network and no chain.
//
// A file goes through four steps, one file of this package each:
//
//	source.go csv.go xlsx.go   bytes → rows of cells
//	columns.go profile.go      header → fields of the kind (field name or Chinese title, any order)
//	cell.go                    cell → date, amount, code; what was mended is noted
//	subjects.go penalties.go commitments.go dishonesty.go   row → messages, texts for the vault, or a refusal
//	applications.go            objections and applications for repair, by the agency that takes the papers in
//	shown.go                   the list of 信用中国: all rows of a firm → one message, or none
//
// What it promises: a bad row is one refusal and never stops the others; every row number is the one a person sees in a
// spreadsheet (the header is row 1); no row becomes two different records by spelling. A refusal, a note and the report never
// repeat a cell of the file: what stands in a wrong cell may be a person's number.
//
// Natural persons: the columns on legal representatives and on persons' documents are dropped while reading, and a row that
// speaks of a natural person is refused; of neither does anything reach a message, the vault's texts, a note or the report.
//
// Trust: whoever can change this package can make an agency sign what its file does not say; it signs nothing itself and the
// chain checks every rule again.
package intake
