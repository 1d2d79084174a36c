#!/usr/bin/env python3
"""A plug-in of GIMP's that serves from its start, so that pieces run while another piece waits."""

import os
import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

NAME = "plug-in-beside"
SERVER = Path(os.environ.get("IMPASTO_TEST_SERVER", "."))


class Beside(Gimp.PlugIn):
    def do_set_i18n(self, _name):
        return False

    def do_query_procedures(self):
        return [NAME]

    def do_create_procedure(self, name):
        return Gimp.Procedure.new(self, name, Gimp.PDBProcType.PERSISTENT, self.serve, None)

    def serve(self, procedure, _config, _data):
        procedure.persistent_ready()
        exec(compile(SERVER.read_text(), "server.py", "exec"), {"FOLDER": "beside"})
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


Gimp.main(Beside.__gtype__, sys.argv)
