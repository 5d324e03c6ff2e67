// SPDX-License-Identifier: Apache-2.0

/// Certificates that were made with openssl(1) and are signed by themselves. Their keys are lost: only what is written
/// in them is looked at.
enum Certificates {
  /// Names `User@Shakespeare.lit`.
  static let own = """
    -----BEGIN CERTIFICATE-----
    MIIBnzCCAUagAwIBAgIUUxOsxKqaFslAtve+0dlfJg23+mMwCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNzIzMThaGA8yMTI2MTAyODA3MjMxOFow
    DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGG39QmBTvKI
    QBYq5pPn3E67EWRmfZI4wNHbeBT+PhxI2LKY1qibTwLAPTVKimJh6ROw59BYaGQd
    qjZb8gCxWoKjgYMwgYAwHQYDVR0OBBYEFCalew+pmeTqp+zZuhVItz52jdpjMB8G
    A1UdIwQYMBaAFCalew+pmeTqp+zZuhVItz52jdpjMA8GA1UdEwEB/wQFMAMBAf8w
    LQYDVR0RBCYwJKAiBggrBgEFBQcIBaAWDBRVc2VyQFNoYWtlc3BlYXJlLmxpdDAK
    BggqhkjOPQQDAgNHADBEAiBs+A71eiJwJqHaqsfNZjwoqh3ONGSpcisdNePeSp0j
    eQIgLtGAWgfGXIcN5CF1H9zdA352URvLIbouhFS3y/af2iw=
    -----END CERTIFICATE-----
    """

  /// Names nobody.
  static let none = """
    -----BEGIN CERTIFICATE-----
    MIIBcDCCARWgAwIBAgIUXXT61CBEv3LoSpMkLvrli6qTVGUwCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNzIzMThaGA8yMTI2MTAyODA3MjMxOFow
    DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF4m6cnnbpNO
    imsOHVaompqaFZ2yd2MSG68dwwG/GW2p5WwZdxJRV/6wDUktr5pSHeZ9BUF6O0RM
    UEMvsPN6NayjUzBRMB0GA1UdDgQWBBTuCsXSTpQZzv0gUeU1Vh616rIc7jAfBgNV
    HSMEGDAWgBTuCsXSTpQZzv0gUeU1Vh616rIc7jAPBgNVHRMBAf8EBTADAQH/MAoG
    CCqGSM49BAMCA0kAMEYCIQDjnk7e/huXa8RKcb9tz1jZa+KyrUohwInD4aEmlq17
    lwIhAMRjbJEO5ryfW6/CwYTC2Xb35EaHw2a5NVwJliQmR0Gi
    -----END CERTIFICATE-----
    """

  /// Names a host, `user@shakespeare.lit`, a service and `juliet@capulet.example`.
  static let several = """
    -----BEGIN CERTIFICATE-----
    MIIB+TCCAZ6gAwIBAgIUOSVqXYdvStFrbuWMjZ3R3GAqLjwwCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNzIzMThaGA8yMTI2MTAyODA3MjMxOFow
    DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEDkSMhdDmIV
    pSdcmWacnG7p8jDFio/p16yLqhHT2+flXikOqrrkYEBa1YXDVz++q3s+v9OIEYwl
    nLltevNG7ZmjgdswgdgwHQYDVR0OBBYEFDKFH4myOCOaCmAo7VtOiGwCp9qZMB8G
    A1UdIwQYMBaAFDKFH4myOCOaCmAo7VtOiGwCp9qZMA8GA1UdEwEB/wQFMAMBAf8w
    gYQGA1UdEQR9MHuCCXguZXhhbXBsZaAiBggrBgEFBQcIBaAWDBR1c2VyQHNoYWtl
    c3BlYXJlLmxpdKAkBggrBgEFBQcIB6AYFhZfeG1wcC1jbGllbnQueC5leGFtcGxl
    oCQGCCsGAQUFBwgFoBgMFmp1bGlldEBjYXB1bGV0LmV4YW1wbGUwCgYIKoZIzj0E
    AwIDSQAwRgIhAM8/g3ircfrqnBkeNpE4InpJFTpo61mbWQNPeqoVEdZuAiEAiJam
    ey34yWR5pUwFOReumKrCLSGnNha6Jy+A36iJ2R4=
    -----END CERTIFICATE-----
    """

  /// Names `admin@shakespeare.lit`.
  static let foreign = """
    -----BEGIN CERTIFICATE-----
    MIIBojCCAUegAwIBAgIUbn/nW+dCpu/Y1d+1QDEQeRky4ZswCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNzIzMThaGA8yMTI2MTAyODA3MjMxOFow
    DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAGQNwwq8bdA
    mb7W7wCK7HSmEPpspvtkL1L2W8vL4y7wA0e+eR1xFEE29Sk0jVNBfi8tBX4LOWuC
    iCOQqHO+vRajgYQwgYEwHQYDVR0OBBYEFLJhG830ReGizmrj3XeBvsx5EpFFMB8G
    A1UdIwQYMBaAFLJhG830ReGizmrj3XeBvsx5EpFFMA8GA1UdEwEB/wQFMAMBAf8w
    LgYDVR0RBCcwJaAjBggrBgEFBQcIBaAXDBVhZG1pbkBzaGFrZXNwZWFyZS5saXQw
    CgYIKoZIzj0EAwIDSQAwRgIhAKBPc8Q120Uqr3nUgcHhKi3yXsuMoVJ0aztd7R8x
    TUipAiEA7TUmmj8UJ2eEHemDXL5q0kzxYf2/csNU19WbWp7JIPg=
    -----END CERTIFICATE-----
    """
}
