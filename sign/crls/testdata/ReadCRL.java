import java.io.FileInputStream;
import java.io.InputStream;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;

/** Reads the CRLs in all files but the first, verifies them by the certificate in that, and prints what they say. */
class ReadCRL {
    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        PublicKey key;
        try (InputStream in = new FileInputStream(args[0])) {
            key = factory.generateCertificate(in).getPublicKey();
        }
        for (int i = 1; i < args.length; i++) {
            X509CRL crl;
            try (InputStream in = new FileInputStream(args[i])) {
                crl = (X509CRL) factory.generateCRL(in);
            }
            crl.verify(key);
            System.out.println("valid for " + (crl.getNextUpdate().getTime() - crl.getThisUpdate().getTime()) / 1000 + " " + crl.getCriticalExtensionOIDs());
            for (X509CRLEntry e : crl.getRevokedCertificates()) {
                int reason = e.getRevocationReason() == null ? -1 : e.getRevocationReason().ordinal();
                System.out.println(e.getSerialNumber().toString(16) + " " + e.getRevocationDate().getTime() / 1000 + " " + reason);
            }
        }
    }
}
