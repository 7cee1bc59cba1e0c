package main

import (
	"bytes"
	"fmt"
	"image/png"

	qr "github.com/piglig/go-qr"
	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// qrBytesMax is what one QR code of binary mode holds: version 40, level L.
const qrBytesMax = 2953

// A module is four pixels wide: a printer of 300 dpi makes a square of six centimetres of the largest code. The border is the standard's quiet zone.
const (
	qrScale  = 4
	qrBorder = 4
)

func convertCommand() *cobra.Command {
	var form, out string
	var armor bool
	cmd := &cobra.Command{
		Use:   "convert BUNDLE --out FILE [--form FORM] [--armor]",
		Short: "Write a bundle in a shorter form, or as text",
		Long: `convert leaves out of a bundle what its reader has already: --form pinned-set the validators that the trust file names,
--form header-known the whole block, which check then takes from another bundle (--header). --armor writes text.
Nothing is verified, and nothing can be put back.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := converted(args[0], form)
			if err != nil {
				return err
			}
			n := len(raw)
			if armor {
				raw = attest.Armor(raw)
			}
			if err := save(out, raw); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: a bundle of %d bytes, UNVERIFIED; use check", out, n)
			return nil
		},
	}
	formFlag(cmd, &form)
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().BoolVar(&armor, "armor", false, "write text (armor)")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

func formFlag(cmd *cobra.Command, form *string) {
	cmd.Flags().StringVar(form, "form", "", "self-contained, pinned-set or header-known; without it the bundle keeps its form")
}

// converted reads a bundle and leaves out what the form does not carry; an empty form changes nothing.
func converted(name, form string) ([]byte, error) {
	raw, err := readBundle(name)
	if err != nil {
		return nil, err
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return nil, &exit{code: attest.ExitCode(nil, err), err: err}
	}
	if form == "" {
		return attest.EncodeBundle(b), nil
	}
	if raw, err = attest.Convert(attest.EncodeBundle(b), attest.Form(form)); err != nil {
		return nil, usage("--form: %w", err)
	}
	return raw, nil
}

func qrCommand() *cobra.Command {
	var form, out string
	cmd := &cobra.Command{
		Use:   "qr BUNDLE --out X.png [--form FORM]",
		Short: "Draw a bundle as one QR code",
		Long: `qr draws the bytes of a bundle as one QR code of binary mode, which holds 2,953. A self-contained bundle of one subject with a small
standing fits with up to 17 equal validators, --form pinned-set with up to 31, --form header-known always; one for
many subjects, or with a long standing, does not. What does not fit is refused. Nothing is verified.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := apart("--out", out, args[0]); err != nil {
				return err
			}
			raw, err := converted(args[0], form)
			if err != nil {
				return err
			}
			if len(raw) > qrBytesMax {
				return usage("the bundle has %d bytes, a QR code holds %d; a shorter --form may fit", len(raw), qrBytesMax)
			}
			picture, err := draw(raw)
			if err != nil {
				return usage("draw the QR code: %w", err)
			}
			if err := save(out, picture); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: a QR code of %d bytes, UNVERIFIED; use check", out, len(raw))
			return nil
		},
	}
	formFlag(cmd, &form)
	cmd.Flags().StringVar(&out, "out", "", "picture (PNG) to write")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

// draw makes the picture, and reads it back: a code that nobody can scan is found here.
func draw(raw []byte) ([]byte, error) {
	code, err := qr.EncodeBinary(raw, qr.Low)
	if err != nil {
		return nil, err
	}
	picture, err := code.ToPNGBytes(qr.NewQrCodeImgConfig(qrScale, qrBorder))
	if err != nil {
		return nil, err
	}
	again, err := readQR(picture)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("it reads as %d other bytes", len(again))
	}
	return picture, nil
}

func readQR(picture []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	r, err := qr.DecodeDetailed(img)
	if err != nil {
		return nil, err
	}
	var raw []byte
	for _, s := range r.Segments {
		raw = append(raw, s.Bytes...)
	}
	return raw, nil
}
