#!/usr/bin/env bash
# make.sh OUT HASH OTHER: time stamps of two made-up authorities over a header hash, and one over another, by OpenSSL's own `ts`. Keys are made anew and
# thrown away, so the files differ with each run; those beside this script were made once, over the header of the samples of corpus_stamps_test.go.
set -euo pipefail
out=$1 hash=$2 other=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ts.cnf" <<'C'
[req]
distinguished_name = dn
x509_extensions = tsa
[dn]
[tsa]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ts]
serial = $ENV::WORK/serial
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1
ordering = no
ess_cert_id_alg = sha256
C
export WORK=$work
printf '01\n' >"$work/serial"
stamp() { # NAME KEY DIGEST HASH FILE
	openssl ts -query -digest "$4" -sha256 -no_nonce ${5:+-cert} -out "$work/q.tsq"
	openssl ts -reply -config "$work/ts.cnf" -section ts -queryfile "$work/q.tsq" -signer "$work/$1.crt" -inkey "$work/$1.key" -"$3" -out "$out/$2"
}
openssl genrsa -out "$work/rsa.key" 2048 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$work/ec.key"
openssl ecparam -name secp384r1 -genkey -noout -out "$work/ec384.key"
for k in rsa ec ec384; do
	openssl req -new -x509 -config "$work/ts.cnf" -key "$work/$k.key" -subj "/CN=made-up $k" -days 3650 -out "$work/$k.crt"
	openssl pkey -in "$work/$k.key" -pubout -outform DER -out "$out/$k.spki"
done
stamp rsa rsa.tsr sha256 "$hash" ""
stamp rsa rsa-with-certificate.tsr sha512 "$hash" yes
stamp ec ec.tsr sha256 "$hash" ""
stamp ec384 ec384.tsr sha384 "$hash" ""
stamp rsa rsa-other.tsr sha256 "$other" ""
openssl ts -query -data "$work/ts.cnf" -md5 -out "$work/q.tsq"
openssl ts -reply -config "$work/ts.cnf" -section ts -queryfile "$work/q.tsq" -signer "$work/rsa.crt" -inkey "$work/rsa.key" -out "$out/refused.tsr"
