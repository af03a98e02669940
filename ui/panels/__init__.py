"""Panels that several pages show: functions of the digit, the network and the selection."""
