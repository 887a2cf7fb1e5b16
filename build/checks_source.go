package build

// What can be wrong with a source of responses.
var (
	checkSourceForm = newFixedCheck("source.form", "nothing is skipped silently",
		"a source holds responses in a form that is known")
	checkSourceCut = newFixedCheck("source.truncated", "nothing is skipped silently",
		"a source ends where a response, an archive or a compressed stream does")
	checkSize = newFixedCheck("ocsp.size", "OpenSSL refuses more (OSSL_HTTP_DEFAULT_MAX_RESP_LEN)",
		"a response has at most 102,400 octets")
	checkRecord = newFixedCheck("store.record", "the segment format",
		"a response has times from 1970 to 2106 and whatever else the format has room for")
)
