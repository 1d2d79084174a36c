"""Impasto installed into a home by its installer, which finds the real GIMP and asks it."""


def test_installer_finds_gimp_and_gimp_sees_the_plug_in(painter):
    said = painter.installed.stdout
    assert "The plug-in for GIMP 3.0.4 (package)" in said
    assert "✓ Asking GIMP 3.0.4 (package) whether it sees the plug-in" in said, said
    assert "Impasto is installed." in said
    assert (painter.plugin / "impasto.py").read_text().startswith("#!/usr/bin/python3\n")
