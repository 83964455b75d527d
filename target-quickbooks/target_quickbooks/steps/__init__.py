"""The steps of the walk: each takes records of one stream and company from BILL's form to planned changes.

A step looks up what its records refer to, has them mapped and planned, and hands the changes to the outlet.
The other modules are what steps share: vendors written before, what bills refer to, what pays them.
"""
