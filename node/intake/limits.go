package intake

// Bounds on a file. A row beyond its bounds is refused; a file beyond its own is not opened.
const (
	FileBytesMax = 256 << 20
	RowBytesMax  = 1 << 20
	CellBytesMax = 64 << 10
	ColumnsMax   = 256
	RowsMax      = 2_000_000

	// An XLSX file is a ZIP archive. What it unpacks to is bounded apart from what it weighs: a few kilobytes can hold a gigabyte
	// of blanks. Shared strings are held in memory, everything else is read as a stream.
	unpackedBytesMax = 512 << 20
	sharedBytesMax   = 256 << 20
	zipEntriesMax    = 4096
	stylesBytesMax   = 16 << 20
	xmlDepthMax      = 64

	// TitleBytesMax bounds a column's title.
	TitleBytesMax = 512

	profileBytesMax = 64 << 10
)
