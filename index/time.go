package index

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// timeSize is the length of the one form of GeneralizedTime that OCSP allows,
// YYYYMMDDHHMMSSZ (RFC 9919 section 3.2.4).
const timeSize = 15

// readTime reads a GeneralizedTime from the front of in, which ends at end of the
// response: at is where there its octets begin.
func readTime(in *cryptobyte.String, end int) (at int, unix int64, err error) {
	var s cryptobyte.String
	if !in.ReadASN1(&s, asn1.GeneralizedTime) {
		return 0, 0, errors.New("not a GeneralizedTime")
	}
	unix, ok := ParseTime(s)
	if !ok {
		return 0, 0, fmt.Errorf("GeneralizedTime %q: want the form YYYYMMDDHHMMSSZ", []byte(s))
	}
	return end - len(*in) - timeSize, unix, nil
}

// ParseTime reads a GeneralizedTime of the form YYYYMMDDHHMMSSZ as Unix seconds.
// It does without package time, which would take a third of a build's parsing.
func ParseTime(b []byte) (unix int64, ok bool) {
	if len(b) != timeSize || b[timeSize-1] != 'Z' {
		return 0, false
	}
	var n [7]int // two digits each: century, year of century, month, day, hour, minute, second
	for i := range n {
		hi, lo := b[2*i]-'0', b[2*i+1]-'0'
		if hi > 9 || lo > 9 {
			return 0, false
		}
		n[i] = int(hi)*10 + int(lo)
	}
	year, month, day, hour, minute, second := n[0]*100+n[1], n[2], n[3], n[4], n[5], n[6]
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return (daysTo(year, month, day)*24+int64(hour))*3600 + int64(minute)*60 + int64(second), true
}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// daysTo is the number of days from 1970-01-01 to a date in the Gregorian
// calendar. It counts years from the 1st of March, so that the leap day is the
// last of its year; from there on months have 31, 30, 31, 30, 31 days over and over.
func daysTo(year, month, day int) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	year += 400 // an era of 400 years more keeps the divisions below positive
	return int64(365*year+year/4-year/100+year/400+(153*(month-3)+2)/5+day-1) - daysBefore1970 - 146097
}

// daysBefore1970 is the number of days from 0000-03-01 to 1970-01-01; 146097 is
// that of every 400 years.
const daysBefore1970 = 719468

// AppendTime is the inverse of ParseTime for the times a record can hold, Unix seconds
// from 1970-01-01 to 2106-02-07. It neither allocates nor calls package time, for it
// is on the path of every request.
func AppendTime(dst []byte, unix uint32) []byte {
	days, secs := unix/86400, unix%86400
	// Civil date from days since 1970-01-01, by eras of 400 years that begin on
	// a 1st of March: the inverse of daysTo.
	z := days + daysBefore1970
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day := doy - (153*mp+2)/5 + 1
	month, year := mp+3, yoe+era*400
	if month > 12 {
		month, year = month-12, year+1
	}
	return append(dst,
		digits[year/100*2], digits[year/100*2+1], digits[year%100*2], digits[year%100*2+1],
		digits[month*2], digits[month*2+1], digits[day*2], digits[day*2+1],
		digits[secs/3600*2], digits[secs/3600*2+1], digits[secs/60%60*2], digits[secs/60%60*2+1],
		digits[secs%60*2], digits[secs%60*2+1], 'Z')
}

// digits is 00 to 99, each as two ASCII digits.
const digits = "00010203040506070809" + "10111213141516171819" + "20212223242526272829" +
	"30313233343536373839" + "40414243444546474849" + "50515253545556575859" +
	"60616263646566676869" + "70717273747576777879" + "80818283848586878889" + "90919293949596979899"
