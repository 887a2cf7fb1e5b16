package e2e

import (
	"fmt"
	"testing"
	"time"
)

// The tables of other CAs, with the columns that are read.
const (
	boulderTable = `CREATE TABLE certificateStatus (id bigint PRIMARY KEY AUTO_INCREMENT, serial varchar(255), status varchar(255), revokedDate datetime NOT NULL,
		revokedReason int NOT NULL, notAfter datetime, issuerID bigint)`
	ejbcaTable = `CREATE TABLE CertificateData (fingerprint TEXT PRIMARY KEY, cAFingerprint TEXT, crlPartitionIndex INT4, expireDate INT8 NOT NULL,
		revocationDate INT8 NOT NULL, revocationReason INT4 NOT NULL, serialNumber TEXT NOT NULL, status INT4 NOT NULL)`
)

// boulderRow is the statement that adds a certificate of the CA, its serial number in
// hexadecimal, to Boulder's table.
func (a *authority) boulderRow(t *testing.T, serial, status string, revoked time.Time, reason int) string {
	t.Helper()
	return fmt.Sprintf("INSERT INTO certificateStatus VALUES (NULL, '%s', '%s', '%s', %d, '%s', %d)",
		serial, status, revoked.UTC().Format(time.DateTime), reason, a.keyPair(t, "ca").Leaf.NotAfter.Format(time.DateTime), a.boulderID(t))
}

// ejbcaRow is the statement that adds a certificate of the CA with that fingerprint, its
// serial number in decimal, to EJBCA's table. revoked is in milliseconds, -1 if it is not.
func ejbcaRow(id int, by, serial string, status int, notAfter time.Time, revoked int64, reason int) string {
	return fmt.Sprintf("INSERT INTO CertificateData VALUES ('%d', '%s', 0, %d, %d, %d, '%s', %d)",
		id, by, notAfter.UnixMilli(), revoked, reason, serial, status)
}
