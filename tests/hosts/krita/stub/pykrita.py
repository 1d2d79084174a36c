"""As Krita 6 says which Qt it is made with."""


def qt_major_version():
    return 6
