package pb

// Every bound on what comes from outside, in one place. A change of a bound that a block depends on is state-breaking.
const (
	TxBytesMax       = 720 << 10 // one transaction; below what the engine's own JSON-RPC can carry in base64
	BlockBytesMax    = 4 << 20   // one block
	MessagesMax      = 1000      // messages a transaction
	BlockMessagesMax = 20000     // messages a block: bounds the work of executing it
	ChainIDMax       = 50        // bytes; CometBFT's own limit
	SignatureBytes   = 65
	AddressBytes     = 20
	DigestBytes      = 32

	TokenMax      = 64  // short closed tokens: power codes, sectors, document and application numbers of other systems
	DocNoMax      = 200 // bytes of a normalised document number (64 characters)
	NameMax       = 200 // bytes of an agency's public name
	KindsMax      = 14  // penalty kinds of one decision
	RegionsMax    = 400 // regions of a member or of a competence
	CompetenceMax = 64  // competences of a member
	CandidatesMax = 100 // candidates of an inspection in one message
	KeysMax       = 32  // keys of a member
	ClassesMax    = 8   // data classes of an authorisation
	UsedUpMax     = 256 // authorisations that one anchor ends
	SubjectKeys   = 8   // keys of a firm that are in force at a time
	BasisMax      = 400 // bytes of the text that a measure or a list rests on
	ListCodesMax  = 64  // codes of lists, measures or systems that a row names
	CalendarMax   = 366 // exceptions of a year
	ShownMax      = 500 // records that 信用中国 shows of one subject
	LinkedMax     = 100 // live records that punish one breach: their ids stand in one row

	MemberRowsPerBlock = 1 << 19 // default of the parameter member_rows_per_block
	RowsPerBlock       = 1 << 19 // default of the parameter rows_per_block

	FileCommon     = 1024   // versions of a file that are open to all members before the rows that each adds are counted
	FileMemberRows = 12_288 // default of the parameter file_rows_member_max: one a day for more than thirty years
	FileRows       = 49_152 // default of the parameter file_rows_max

	ExpiryAheadSeconds = 600 // default of the parameter tx_expiry_max_seconds

	StandingBytesMax = 64 << 10 // default of the parameter standing_bytes_max

	BundleBytesMax     = 128 << 10 // a bundle for one subject
	BundleManyBytesMax = 16 << 20  // a bundle for many
	BundleEntriesMax   = 10000
	BundleStepsMax     = 1024
	ValidatorsMax      = 1024
	PackMembersMax     = 8 << 20                                // subjects of a pack
	PackBytesMax       = PackMembersMax*32 + BundleManyBytesMax // a pack or a delta
	TreeDepthMax       = 256
)
