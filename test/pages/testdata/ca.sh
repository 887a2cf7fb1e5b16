# Makes a CA below a root, and with it certificates for localhost, good.pem and
# revoked.pem, and all that Lancre serves of them: responses/ and static/. Run in an
# empty directory, with the openssl.cnf as $CNF.
set -eu
key='ec -pkeyopt ec_paramgen_curve:P-256'
ca="openssl ca -config $CNF -batch -notext -keyfile ca.key -cert ca.pem"

openssl req -x509 -newkey $key -nodes -keyout root.key -out root.pem -days 90 -subj '/CN=root'
openssl req -newkey $key -nodes -keyout ca.key -out ca.csr -subj '/CN=Example CA'
openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -days 90 -extfile "$CNF" -extensions intermediate -out ca.pem
: >index.txt
echo 01 >crlnumber

for cert in good revoked; do
	openssl req -newkey $key -nodes -keyout $cert.key -out $cert.csr -subj /CN=$cert
	$ca -extensions leaf -in $cert.csr -out $cert.pem
	cat $cert.pem ca.pem >$cert.chain
done
$ca -revoke revoked.pem -crl_reason superseded

mkdir -p responses static/r1.c.example.org static/r1.i.example.org
for cert in good revoked; do
	openssl ocsp -sha1 -issuer ca.pem -cert $cert.pem -no_nonce -reqout $cert.req
	openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -resp_no_certs -resp_key_id -ndays 4 \
		-reqin $cert.req -respout responses/$cert.der
done
$ca -gencrl -out crl.pem
openssl crl -in crl.pem -outform DER -out static/r1.c.example.org/1.crl
openssl x509 -in ca.pem -outform DER -out static/r1.i.example.org/index.der
