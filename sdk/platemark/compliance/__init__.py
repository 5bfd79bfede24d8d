"""Clause by clause: does a file carry what a law or code asks generated media to carry?"""
