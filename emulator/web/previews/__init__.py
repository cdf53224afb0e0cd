"""What a page shows of an object's content: text, tables, JSON, images, what archives hold.

Content is foreign. All of it is read in pieces, below limits of bytes and of time, and nothing is written anywhere.
"""
