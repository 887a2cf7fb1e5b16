package server

import "time"

const (
	days   = "SunMonTueWedThuFriSat"
	months = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// appendDate appends the IMF-fixdate of RFC 9110 section 5.6.7, such as
// "Sun, 06 Nov 1994 08:49:37 GMT". It stands in for the layouts of package
// time, which take five times as long; there are two dates in an answer beside
// fasthttp's own.
func appendDate(dst []byte, unix int64) []byte {
	t := time.Unix(unix, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(append(dst, days[3*t.Weekday():][:3]...), ',', ' ')
	dst = append(appendTwo(dst, day), ' ')
	dst = append(append(dst, months[3*(month-1):][:3]...), ' ')
	dst = append(appendTwo(appendTwo(dst, year/100), year%100), ' ')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	return append(appendTwo(dst, second), " GMT"...)
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}
