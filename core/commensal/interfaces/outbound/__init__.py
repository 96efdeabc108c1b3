"""Requests to other people's servers, by addresses that strangers name: guarded, so that none reaches inside."""
